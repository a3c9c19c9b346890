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

/** Received = stored + rejected + on the way. More out than in, or less than all, is a fault of ours. */
export function verdictOf(source: Source): Verdict {
  const left = source.received - source.stored - rejectedOf(source);
  const onTheWay = source.in_flight ?? Math.max(0, left);
  if (left > onTheWay) return { tone: "bad", text: `${formatCount(left - onTheWay)} are missing` };
  if (left < onTheWay) return { tone: "bad", text: `${formatCount(onTheWay - left)} too many` };
  if (source.kernel_drops) {
    return { tone: "late", text: `the kernel dropped ${formatCount(source.kernel_drops)} datagrams before us` };
  }
  return { tone: "good", text: onTheWay ? `yes, ${formatCount(onTheWay)} on the way` : "yes" };
}
