/** What a graph's slots are, in a few words. */

import type { Kind, Series } from "../api";
import { formatLength } from "./time";

/** A counter's slot holds the sum of what was counted in it, a set's the number of its different members. */
const WORDS: Readonly<Partial<Record<Kind, string>>> = { counter: "sums", set: "distinct counts" };

/** `10 s slots · kept 10 days`: what the reader looks at, and how long it will be there. */
export function slotNote(series: readonly Series[]): string {
  const [first] = series;
  if (first === undefined) return "";
  const finest = series.reduce((best, one) => (one.step < best.step ? one : best), first);
  const same = series.every((one) => one.kind === first.kind);
  const word = (same && first.kind && WORDS[first.kind]) || "slots";
  const slots = `${formatLength(finest.step)} ${word}`;
  return finest.kept_s === null ? slots : `${slots} · kept ${formatLength(finest.kept_s)}`;
}
