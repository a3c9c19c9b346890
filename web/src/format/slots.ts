/** What a graph's slots are, how finely there is more, and until when, in a few words. */

import type { Kind, Part, Series } from "../api";
import { formatDay, formatLength } from "./time";

/** A counter's slot holds the sum of what was counted in it, a set's the number of its different members. */
const WORDS: Readonly<Partial<Record<Kind, string>>> = { counter: "sums", set: "distinct counts" };

/**
 * What the reader looks at, the most important first: `10 s slots`, `kept until 1 Dec`.
 *
 * Where the range reaches from coarse data into finer one: `5 min slots`, `kept until 3 Feb`, `10 s since 12 Nov`. Where
 * slots share a pixel: `10 min slots of 10 s`.
 */
export function slotNotes(series: readonly Series[], nowS: number): readonly string[] {
  const [first] = series;
  if (first === undefined) return [];
  const finest = series.reduce((best, one) => (one.step < best.step ? one : best), first);
  const same = series.every((one) => one.kind === first.kind);
  const word = (same && first.kind && WORDS[first.kind]) || "slots";
  const slots = `${formatLength(finest.step)} ${word}`;
  const parts = finest.meta?.parts ?? [];
  const [oldest] = parts;
  if (oldest === undefined) return [slots];
  const joined = parts.length === 1 && oldest.step < finest.step;
  return [
    joined ? `${slots} of ${formatLength(oldest.step)}` : slots,
    `kept until ${formatDay(firstToGo(series, finest.step, oldest), nowS)}`,
    ...finer(parts, nowS),
  ];
}

/** When the first of the slots that are shown is there no more. */
function firstToGo(series: readonly Series[], step: number, oldest: Part): number {
  const others = series.filter((one) => one.step === step).flatMap((one) => one.meta?.parts?.[0]?.expires ?? []);
  return Math.min(oldest.expires, ...others);
}

/** What of the range can be seen more finely by looking closer. */
function finer(parts: readonly Part[], nowS: number): readonly string[] {
  const oldest = parts[0];
  const best = parts.reduce((found, part) => (part.step < found.step ? part : found));
  if (oldest === undefined || best.step >= oldest.step) return [];
  return [`${formatLength(best.step)} since ${formatDay(best.start, nowS)}`];
}
