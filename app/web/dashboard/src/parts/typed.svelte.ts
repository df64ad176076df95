// What follows as one types: asked a moment after the last key, and only the newest answer counts.
const PAUSE = 350; // milliseconds without a key

/** Call `ask` with what `of` gives, a moment after it last changed. Call where a component begins. */
export function following<Value>(of: () => Value, ask: (value: Value, current: () => boolean) => Promise<void>): void {
  let turn = 0;
  $effect(() => {
    const value = of();
    const mine = ++turn;
    const timer = setTimeout(() => void ask(value, () => mine === turn), PAUSE);
    return () => clearTimeout(timer);
  });
}
