import { expect, test } from "vitest";

import { absolute, DEFAULT_RANGE, fromInput, isMoving, PRESETS, readRange, toInput } from "../src/state/range";

test("each preset is a range that a link may hold", () => {
  for (const { from } of PRESETS) expect(readRange(from, "now")).toEqual({ from, until: "now" });
});

test("a relative range moves, an absolute one does not", () => {
  expect(isMoving({ from: "-6h", until: "now" })).toBe(true);
  expect(isMoving({ from: "1700000000", until: "1700003600" })).toBe(false);
});

test.each([
  [null, null],
  ["yesterday", "now"],
  ["-1h", "-30min"],
  ["1700003600", "1700000000"],
  ["<script>", "now"],
  ["1700000000", null],
])("a range from %j until %j is not used", (from, until) => {
  expect(readRange(from, until)).toEqual(DEFAULT_RANGE);
});

test("a drag to the left is the same as one to the right, in whole seconds", () => {
  expect(absolute(1700003600.4, 1700000000.6)).toEqual({ from: "1700000000", until: "1700003601" });
});

test("a tiny drag still shows some slots", () => {
  const { from, until } = absolute(1700000000, 1700000001);
  expect(Number(until) - Number(from)).toBeGreaterThanOrEqual(30);
});

test("a date input gives back the minute that it was given", () => {
  const minute = new Date(2026, 10, 21, 14, 3).getTime() / 1000;
  expect(fromInput(toInput(minute))).toBe(minute);
  expect(fromInput("")).toBeNull();
  expect(fromInput("soon")).toBeNull();
});
