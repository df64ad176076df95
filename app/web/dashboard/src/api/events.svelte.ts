// A job's events as they come. fetch instead of EventSource, which cannot send a key.
import { createParser } from "eventsource-parser";
import { headers, type Schemas } from "./service.svelte";

export type JobEvent = Schemas["EventView"];

const AGAIN_SECONDS = 2;

/** Follow a job from after event `after` on, until it is final or `stop` is called; a lost connection is made again. */
export function follow(id: string, after: number, heard: (events: JobEvent[]) => void): { stop: () => void } {
  const ending = new AbortController();
  let last = after;
  const listen = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        const response = await fetch(`/v1/jobs/${id}/events?after=${last}`, {
          headers: { ...headers(), Accept: "text/event-stream" },
          signal: ending.signal,
        });
        if (response.status === 204 || [401, 403, 404].includes(response.status)) return; // over, or not ours
        if (response.ok && response.body && (await read(response.body))) return;
      } catch {
        // the connection broke; it is made again below
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_SECONDS * 1000));
    }
  };
  /** Whether the stream's last event was final. */
  const read = async (body: ReadableStream<Uint8Array>): Promise<boolean> => {
    let batch: JobEvent[] = [];
    let final = false;
    const parser = createParser({
      onEvent: ({ data }) => {
        const event = JSON.parse(data) as JobEvent;
        if (typeof event.seq !== "number") return;
        last = event.seq;
        final = ["succeeded", "failed", "cancelled"].includes(event.kind);
        batch.push(event);
      },
    });
    const reader = body
      .pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
      .getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return final;
      parser.feed(value);
      if (batch.length) heard(batch);
      batch = [];
    }
  };
  void listen();
  return { stop: () => ending.abort() };
}
