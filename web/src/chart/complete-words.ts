/** The completeness of a graph in a few words. */

import type { Completeness } from "../api";
import { formatCount } from "../format/units";
import { wordOf } from "../ledger/balance";

export interface CompleteWords {
  readonly tone: "good" | "late" | "bad";
  readonly text: string;
  readonly detail: string;
}

const GOOD_MIN = 0.9995;
const LATE_MIN = 0.99;
const PREFIXES_SHOWN = 3;

/** Nothing where nothing is known. What is not whole is never said to be. */
export function sayComplete(found: Completeness): CompleteWords | null {
  if (found.complete === null) return null;
  const tone = found.complete >= GOOD_MIN ? "good" : found.complete >= LATE_MIN ? "late" : "bad";
  const causes = Object.entries(found.causes).sort(([, a], [, b]) => b - a);
  const [first, ...others] = found.prefixes;
  const more = others.length >= PREFIXES_SHOWN ? ` and ${others.length} more` : others.map((one) => `, ${one}`).join("");
  const lines = [
    `${formatCount(found.stored)} samples of ${first ?? "it"}${more} were stored, ${approximately(found.lost)} lost`,
    ...causes.map(([cause, count]) => `${cause === "before" ? "earlier" : wordOf(cause)}: ${approximately(count)}`),
  ];
  return { tone, text: `complete ${percent(found.complete)}\u202f%`, detail: lines.join("\n") };
}

function percent(share: number): string {
  if (share === 1) return "100";
  return String(Math.min(99.99, Math.floor(share * 10_000) / 100));
}

/** Losses without a name are shared out, so they need not be whole. */
function approximately(count: number): string {
  return Number.isInteger(count) ? formatCount(count) : `about ${formatCount(Math.max(1, Math.round(count)))}`;
}
