/** Ranges of time: relative ones move with the clock, absolute ones stand still. */

export interface Range {
  /** `-1h` and the like, or epoch seconds. */
  readonly from: string;
  /** `now`, or epoch seconds. */
  readonly until: string;
}

export interface Preset {
  readonly from: string;
  readonly label: string;
  readonly spoken: string;
}

export const PRESETS: readonly Preset[] = [
  { from: "-15min", label: "15 min", spoken: "last 15 minutes" },
  { from: "-1h", label: "1 h", spoken: "last hour" },
  { from: "-6h", label: "6 h", spoken: "last 6 hours" },
  { from: "-24h", label: "24 h", spoken: "last 24 hours" },
  { from: "-7d", label: "7 d", spoken: "last 7 days" },
  { from: "-30d", label: "30 d", spoken: "last 30 days" },
  { from: "-1y", label: "1 y", spoken: "last year" },
];

/** Short, so that whoever has just sent a first number sees it move. */
export const DEFAULT_RANGE: Range = { from: "-15min", until: "now" };

const RELATIVE = /^-\d{1,6}(s|min|h|d|w|mon|y)$/;
const EPOCH = /^\d{1,11}$/;
const SHORTEST_S = 30;

/** Whether the range ends now, so that new slots come into view. */
export function isMoving(range: Range): boolean {
  return range.until === "now";
}

/** The range meant by what a link says, or the default if it says nothing that can be used. */
export function readRange(from: string | null, until: string | null): Range {
  if (from !== null && RELATIVE.test(from) && (until === null || until === "now")) {
    return { from, until: "now" };
  }
  if (from !== null && until !== null && EPOCH.test(from) && EPOCH.test(until) && Number(from) < Number(until)) {
    return { from, until };
  }
  return DEFAULT_RANGE;
}

/** An absolute range of whole seconds around what was drawn by hand, never shorter than a few slots. */
export function absolute(fromS: number, untilS: number): Range {
  const low = Math.min(fromS, untilS);
  const high = Math.max(fromS, untilS);
  const missing = Math.max(0, SHORTEST_S - (high - low)) / 2;
  return { from: String(Math.floor(low - missing)), until: String(Math.ceil(high + missing)) };
}

export function sameRange(a: Range, b: Range): boolean {
  return a.from === b.from && a.until === b.until;
}

/** `2026-11-21T14:03` in the reader's own time zone, as date inputs want it. */
export function toInput(epochS: number): string {
  const date = new Date(epochS * 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Epoch seconds of a date input's text, or null if it is empty or no date. */
export function fromInput(text: string): number | null {
  const milliseconds = text ? new Date(text).getTime() : Number.NaN;
  return Number.isFinite(milliseconds) ? milliseconds / 1000 : null;
}
