/** The heartbeat: graphs, health and ledger are asked for anew each time `beat` changes. */

import { effect, signal } from "@preact/signals";

export const REFRESH_S = 10;

export const beat = signal(0);
/** Paused by hand. */
export const paused = signal(false);
/** Nobody sees the page: ask for nothing. */
export const hidden = signal(document.hidden);

document.addEventListener("visibilitychange", () => {
  hidden.value = document.hidden;
});

/** Ask for everything now. */
export function refresh(): void {
  beat.value = beat.peek() + 1;
}

let begun = false;
effect(() => {
  if (paused.value || hidden.value) return undefined;
  // Coming back to the page or out of a pause shows the present at once.
  if (begun) queueMicrotask(refresh);
  begun = true;
  const timer = setInterval(refresh, REFRESH_S * 1000);
  return () => clearInterval(timer);
});
