// What is asked for again and again: the last good data stays when an answer fails, and nobody asks from a hidden tab.
import { untrack } from "svelte";
import { Problem } from "./service.svelte";

/** at: when `data` came, in milliseconds; null before the first answer. */
export class Polled<Data> {
  data = $state.raw<Data | null>(null);
  problem = $state.raw<Problem | null>(null);
  at = $state<number | null>(null);
  #asked = 0;

  /**
   * seconds: between two questions; null: asked once. of: what is asked about; where it changes, the question is another
   * one and is asked at once. What `ask` reads besides changes nothing by itself. Call where a component begins.
   */
  constructor(
    readonly ask: () => Promise<Data>,
    readonly seconds: (data: Data | null) => number | null,
    of: () => unknown = () => null,
  ) {
    $effect(() => {
      of();
      this.data = null;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let ended = false;
      const turn = async (): Promise<void> => {
        if (!document.hidden) await this.now();
        const pause = this.seconds(this.data);
        if (!ended && pause !== null) timer = setTimeout(turn, pause * 1000);
      };
      const shown = (): void => {
        if (!document.hidden && (this.at === null || this.seconds(this.data) !== null)) void this.now();
      };
      document.addEventListener("visibilitychange", shown);
      untrack(() => void turn());
      return () => {
        ended = true;
        clearTimeout(timer);
        document.removeEventListener("visibilitychange", shown);
      };
    });
  }

  /** Ask now. An answer to an older question than the last is dropped. */
  async now(): Promise<void> {
    const turn = ++this.#asked;
    try {
      const data = await this.ask();
      if (turn !== this.#asked) return;
      this.data = data;
      this.problem = null;
      this.at = Date.now();
    } catch (error) {
      if (turn !== this.#asked) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}
