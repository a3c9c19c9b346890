/** From series on their own grids to the columns that uPlot draws. */

import type { Series, Value } from "../api";

/** `undefined` is "no slot here, draw on"; `null` is a gap. */
export type Column = (number | null | undefined)[];

export interface Columns {
  /** Epoch seconds, then for each series its values, or its values, maximum and minimum where it has a band. */
  readonly data: [number[], ...Column[]];
  /** For each series, whether it has a band. */
  readonly banded: readonly boolean[];
  /** Column of each series' values. */
  readonly column: readonly number[];
  /** Values that are known, over all series. */
  readonly points: number;
}

/** Bands of many lines hide each other. */
const BANDS_MAX = 6;

export function hasBand(one: Series): boolean {
  // What a counter was incremented by at least and at most says nothing beside the sum of a slot.
  if (one.kind === "counter" || one.min === undefined || one.max === undefined) return false;
  return one.max.some((high, i) => high !== null && high !== one.min?.[i]);
}

/** Bring all series on one time line: the union of their slots. */
export function toColumns(series: readonly Series[]): Columns {
  const times = timeline(series);
  const place = new Map(times.map((time, i) => [time, i]));
  const banded = series.map((one) => series.length <= BANDS_MAX && hasBand(one));
  const columns: Column[] = [];
  const column: number[] = [];
  series.forEach((one, i) => {
    column.push(columns.length + 1);
    columns.push(spread(one, one.values, place));
    if (banded[i]) columns.push(spread(one, one.max ?? [], place), spread(one, one.min ?? [], place));
  });
  const points = series.reduce((sum, one) => sum + one.values.filter((value) => value !== null).length, 0);
  return { data: [times, ...columns], banded, column, points };
}

/**
 * The series without its open slot, where that holds a part of a sum: it would end every line in a dive.
 *
 * The first slot that there is is shown at once, whole or not.
 */
export function settled(one: Series, nowS: number): Series {
  if (one.kind !== "counter" && one.kind !== "set") return one;
  const whole = Math.max(0, Math.floor((nowS - one.start) / one.step));
  if (whole >= one.values.length || one.values.slice(0, whole).every((value) => value === null)) return one;
  return { ...one, values: one.values.slice(0, whole) };
}

function timeline(series: readonly Series[]): number[] {
  const times = new Set<number>();
  for (const one of series) one.values.forEach((_, i) => times.add(one.start + i * one.step));
  return [...times].sort((a, b) => a - b);
}

function spread(one: Series, values: readonly Value[], place: ReadonlyMap<number, number>): Column {
  const column: Column = new Array<undefined>(place.size).fill(undefined);
  values.forEach((value, i) => {
    const at = place.get(one.start + i * one.step);
    if (at !== undefined) column[at] = value;
  });
  return column;
}

/** Places of values with a gap on both sides: no line goes through them, so each needs a dot. */
export function isolated(column: Column): number[] {
  const own = column.flatMap((value, at) => (value === undefined ? [] : [at]));
  const known = (k: number): boolean => typeof column[own[k] ?? -1] === "number";
  return own.filter((_, k) => known(k) && !known(k - 1) && !known(k + 1));
}

/** The axis for values between `low` and `high`: from zero where that does not flatten the line. */
export function valueRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : low > 0 ? [0, low * 1.5] : [low * 1.5, 0];
  const air = (high - low) * 0.08;
  if (low >= 0 && low <= high * 0.7) return [0, high + air];
  if (high <= 0 && high >= low * 0.7) return [low - air, 0];
  return [low - air, high + air];
}

/** The latest known value at or before place `i`. */
export function valueAt(column: Column | undefined, i: number): number | null {
  for (let at = i; column !== undefined && at >= 0; at -= 1) {
    const value = column[at];
    if (value !== undefined) return value;
  }
  return null;
}

/** Place of the last slot in which any series has a value, else of the last slot. */
export function latest(columns: Columns): number {
  const [times, ...rest] = columns.data;
  for (let at = times.length - 1; at >= 0; at -= 1) {
    if (rest.some((column) => typeof column[at] === "number")) return at;
  }
  return times.length - 1;
}
