/** Whether the numbers of a source add up. */

import type { Source } from "../api";
import { formatCount } from "../format/units";

export function rejectedOf(source: Source): number {
  return Object.values(source.rejected).reduce((sum, count) => sum + count, 0);
}

export interface Verdict {
  readonly tone: "good" | "late" | "bad";
  readonly text: string;
}

/** Received = stored + rejected + on the way; more out than in is a fault of ours. */
export function verdictOf(source: Source): Verdict {
  const left = source.received - source.stored - rejectedOf(source);
  if (left === 0) return { tone: "good", text: "yes" };
  if (left > 0) return { tone: "late", text: `${formatCount(left)} on the way` };
  return { tone: "bad", text: `${formatCount(-left)} too many` };
}
