import { expect, test } from "vitest";

import { drawings, isEmpty, readNumbers, seconds, times, type Numbers } from "../stats/numbers";

const plain = (text: string): string => text.replaceAll("\u202f", " ");
const LATER_S = 9000;
const numbers = (change: Partial<Numbers["columns"]> = {}): Numbers => ({
  app: "shop", environment: "prod", range: "day", start: 600, step: 300,
  columns: {
    requests: [10, null, 30], 404: [null, null, 3], 500: [], errors: [],
    lower: [0.01, null, 0.02], mean: [0.1, null, 0.2], p95: [0.2, null, 0.3], upper: [0.3, null, 4], ...change,
  },
});

test("traffic is told per minute and in all", () => {
  const [traffic] = drawings(numbers(), LATER_S);
  expect(traffic?.lines[0]?.values).toEqual([2, null, 6]);
  expect(traffic?.told).toBe("40 requests");
  expect(times(numbers())).toEqual([600, 900, 1200]);
});

test("lines of sums end with the last slot that is over, and what is told is of all", () => {
  const [traffic, , errors] = drawings(numbers({ errors: [1, null, 2] }), 1400);
  expect(traffic?.lines[0]).toMatchObject({ values: [2, null, null], summary: 2 });
  expect(traffic?.told).toBe("40 requests");
  expect(errors?.lines.at(-1)?.values).toEqual([1, null, null]);
  expect(drawings(numbers({ requests: [null, null, 30] }), 1400)[0]?.lines[0]?.values).toEqual([null, null, 6]);
});

test("the mean of a range weighs each slot by its requests", () => {
  expect(plain(drawings(numbers(), LATER_S)[1]?.told ?? "")).toBe("175 ms on average, 4 s at most");
});

test("a percentile is never beyond the largest value", () => {
  const lines = drawings(numbers({ p95: [0.31, null, 0.3] }), LATER_S)[1]?.lines ?? [];
  expect(lines.find((line) => line.label === "95 %")?.values).toEqual([0.3, null, 0.3]);
});

test("where there were requests, no errors are none, and where nothing is known nothing is", () => {
  const [, , errors] = drawings(numbers({ 500: [1], errors: [1] }), LATER_S);
  expect(errors?.lines.map((line) => line.values)).toEqual([[0, null, 3], [1, null, 0], [1, null, 0]]);
  expect(plain(errors?.told ?? "")).toBe("1 error (2.5 %), 3 missing pages");
  expect(drawings(numbers({ 404: [] }), LATER_S)[2]?.told).toBe("none");
});

test("an answer without requests is empty, and what is none is not drawn", () => {
  expect(isEmpty(numbers({ requests: [] }))).toBe(true);
  expect(isEmpty(numbers({ requests: [null, 0] }))).toBe(false);
  expect(readNumbers(numbers())).not.toBe(null);
  expect([null, "<html>", {}, { columns: {} }, { ...numbers(), step: 0 }].map(readNumbers)).toEqual([null, null, null, null, null]);
});

test.each([[0, "0 ms"], [0.0000123, "12.3 µs"], [0.0123, "12.3 ms"], [12.34, "12.3 s"]])("%d s read %j", (value, text) => {
  expect(plain(seconds(value))).toBe(text);
});
