import { expect, test } from "vitest";

import type { Series, Value } from "../src/api";
import { hasBand, isolated, latest, settled, toColumns, valueAt, valueRange } from "../src/chart/band";

function series(name: string, start: number, step: number, values: Value[], min?: Value[], max?: Value[]): Series {
  const band = min && max ? { min, max } : {};
  return { name, target: name, kind: "gauge", start, step, values, ...band };
}

test("series on one grid become columns beside their times", () => {
  const { data, points } = toColumns([series("a", 100, 10, [1, null, 3]), series("b", 100, 10, [4, 5, 6])]);
  expect(data).toEqual([[100, 110, 120], [1, null, 3], [4, 5, 6]]);
  expect(points).toBe(5);
});

test("a band brings its maximum and its minimum after its values", () => {
  const columns = toColumns([series("a", 0, 10, [1, 2], [0, 1], [2, 3]), series("b", 0, 10, [7, 8])]);
  expect(columns.data).toEqual([[0, 10], [1, 2], [2, 3], [0, 1], [7, 8]]);
  expect(columns.column).toEqual([1, 4]);
  expect(columns.banded).toEqual([true, false]);
});

test("a slot of one sample has no band", () => {
  expect(hasBand(series("a", 0, 10, [1, 2], [1, 2], [1, 2]))).toBe(false);
  expect(hasBand(series("a", 0, 10, [1, 2]))).toBe(false);
});

test("series of different steps share a time line without making gaps in each other", () => {
  const { data } = toColumns([series("a", 0, 10, [1, 2, null]), series("b", 0, 20, [8, 9])]);
  expect(data).toEqual([[0, 10, 20], [1, 2, null], [8, undefined, 9]]);
});

test("gaps are gaps: a value alone between them is found, so that it gets a dot", () => {
  expect(isolated([1, null, 2, 3, null, null, 4])).toEqual([0, 6]);
  expect(isolated([null, 5, undefined, undefined, null])).toEqual([1]);
  expect(isolated([1, undefined, 2])).toEqual([]);
  expect(isolated([])).toEqual([]);
});

test("the value under the crosshair of a coarser series is that of its slot, and a gap has none", () => {
  expect(valueAt([8, undefined, 9], 1)).toBe(8);
  expect(valueAt([8, null, 9], 1)).toBeNull();
  expect(valueAt(undefined, 1)).toBeNull();
});

test("the latest slot is the last with a value", () => {
  expect(latest(toColumns([series("a", 0, 10, [1, 2, null])]))).toBe(1);
  expect(latest(toColumns([]))).toBe(-1);
});

test.each<[number | null, number | null, (low: number, high: number) => boolean]>([
  [null, null, (low, high) => low === 0 && high === 1],
  [0, 0, (low, high) => low === 0 && high === 1],
  [5, 5, (low, high) => low === 0 && high > 5],
  [1, 100, (low, high) => low === 0 && high > 100],
  [990, 1000, (low, high) => low > 900 && low < 990 && high > 1000],
  [-5, 5, (low, high) => low < -5 && high > 5],
  [-100, -1, (low, high) => low < -100 && high === 0],
])("the axis for values from %j to %j holds them and starts at zero where it can", (low, high, good) => {
  expect(good(...valueRange(low, high))).toBe(true);
});

test("a sum that is not whole yet is not drawn, unless it is all there is", () => {
  const counter = { ...series("a", 100, 10, [7, 8, 2]), kind: "counter" as const };
  expect(settled(counter, 125).values).toEqual([7, 8]);
  expect(settled(counter, 130).values).toEqual([7, 8, 2]);
  expect(settled({ ...counter, values: [null, null, 2] }, 125).values).toEqual([null, null, 2]);
  expect(settled({ ...counter, kind: "gauge" }, 125).values).toEqual([7, 8, 2]);
});

test("a counter has no band: its least increment says nothing beside a sum", () => {
  expect(hasBand({ ...series("a", 0, 10, [10, 20], [1, 1], [3, 4]), kind: "counter" })).toBe(false);
});
