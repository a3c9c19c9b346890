/** Whether numbers add up, and what was lost. */

import type { Balance } from "../api";
import { formatCount } from "../format/units";

export function rejectedOf(one: Balance): number {
  return Object.values(one.rejected).reduce((sum, count) => sum + count, 0);
}

/** Reasons with their counts, the most frequent first. */
export function reasonsOf(one: Balance): readonly (readonly [string, number])[] {
  return Object.entries(one.rejected).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
}

/** The server's word as a reader has it: `name_bytes` is `name bytes`. */
export function wordOf(reason: string): string {
  return reason.replaceAll("_", " ");
}

export interface Verdict {
  readonly tone: "good" | "late" | "bad";
  readonly text: string;
}

/** Received + made by rules = stored + rejected + on the way. More out than in, or less than all, is a fault of ours. */
export function verdictOf(one: Balance): Verdict {
  const left = one.received + (one.made ?? 0) - one.stored - rejectedOf(one);
  const onTheWay = one.in_flight ?? Math.max(0, left);
  if (left > onTheWay) return { tone: "bad", text: `${formatCount(left - onTheWay)} are missing` };
  if (left < onTheWay) return { tone: "bad", text: `${formatCount(onTheWay - left)} too many` };
  if (one.kernel_drops) {
    return { tone: "late", text: `the kernel dropped ${formatCount(one.kernel_drops)} datagrams before us` };
  }
  if (one.lost_on_the_way) return { tone: "late", text: `${formatCount(one.lost_on_the_way)} were sent and never came` };
  if (one.queue_drops) {
    return { tone: "late", text: `${formatCount(one.queue_drops)} connections or bodies were turned away` };
  }
  return { tone: "good", text: onTheWay ? `yes, ${formatCount(onTheWay)} on the way` : "yes" };
}
