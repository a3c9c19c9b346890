/** Moments and lengths of time as text, in the reader's own time zone. */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const LENGTHS: readonly (readonly [number, string, string])[] = [
  [365 * 86400, "year", "years"],
  [86400, "day", "days"],
  [3600, "h", "h"],
  [60, "min", "min"],
  [1, "s", "s"],
];

/** `10 s`, `5 min`, `10 days`, `2 years`; the largest unit that says it exactly, else to one decimal. */
export function formatLength(seconds: number): string {
  const exact = LENGTHS.find(([size]) => seconds >= size && seconds % size === 0);
  const fit = exact ?? LENGTHS.find(([size]) => seconds >= size) ?? [1, "s", "s"];
  const count = Math.round((seconds / fit[0]) * 10) / 10;
  return `${count}\u202f${count === 1 ? fit[1] : fit[2]}`;
}

/** Where the reader is: `Europe/Berlin`. */
export function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function clock(date: Date, seconds: boolean): string {
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

function day(date: Date): string {
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

/** `14:03:20`, with the day where it is not today's. */
export function formatMoment(epochS: number, nowS: number): string {
  const date = new Date(epochS * 1000);
  const now = new Date(nowS * 1000);
  if (date.toDateString() === now.toDateString()) return clock(date, true);
  const year = date.getFullYear() === now.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${day(date)}${year} ${clock(date, true)}`;
}

/** `1 Dec`, with the year where it is not this one's; what is less than two days away to the minute. */
export function formatDay(epochS: number, nowS: number): string {
  const date = new Date(epochS * 1000);
  const now = new Date(nowS * 1000);
  const near = Math.abs(epochS - nowS) < 2 * 86400;
  if (date.toDateString() === now.toDateString()) return clock(date, false);
  const year = date.getFullYear() === now.getFullYear() || near ? "" : ` ${date.getFullYear()}`;
  return `${day(date)}${year}${near ? ` ${clock(date, false)}` : ""}`;
}

/** The text under a tick of the time axis, for ticks that are `stepS` apart. */
export function formatTick(epochS: number, stepS: number): string {
  const date = new Date(epochS * 1000);
  if (stepS >= 28 * 86400) {
    return date.getMonth() === 0 ? String(date.getFullYear()) : (MONTHS[date.getMonth()] ?? "");
  }
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  return stepS >= 86400 || midnight ? day(date) : clock(date, stepS < 60);
}
