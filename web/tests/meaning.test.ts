import { expect, test } from "vitest";

import type { Meta, Series } from "../src/api";
import { aboutOf, commonMeaning, countedPer, detailsOf, inUnits, meaningOf, readUnit } from "../src/format/meaning";

const series = (name: string, meta: Meta = {}, change: Partial<Series> = {}): Series => ({
  name, target: name, kind: "gauge", start: 0, step: 10, values: [1, null, 3], meta, ...change,
});

test.each([
  ["bytes", "B", 1, ""],
  ["By", "B", 1, ""],
  ["KiBy", "B", 1024, ""],
  ["By/s", "B/s", 1, ""],
  ["bytes per second", "B/s", 1, ""],
  ["seconds", "s", 1, ""],
  ["us", "s", 1e-6, ""],
  ["ratio", "%", 100, ""],
  ["1", "", 1, ""],
  ["1/s", "/s", 1, ""],
  ["{request}", "", 1, "request"],
  ["orders/s", "", 1, "orders/s"],
  ["celsius", "", 1, "°C"],
  ["s/s", "s", 1, "s/s"],
  ["<b>x</b>", "", 1, "<b>x</b>"],
] as const)("the unit %j is drawn in %j", (text, unit, factor, word) => {
  expect(readUnit(text)).toEqual({ unit, factor, word });
});

test("what is said counts before what a name says, and timings of StatsD are milliseconds", () => {
  expect(meaningOf(series("a.sent_bytes", { unit: "orders" })).word).toBe("orders");
  expect(meaningOf(series("a.sent_bytes")).unit).toBe("B");
  expect(meaningOf(series("a.render", {}, { kind: "timing" })).unit).toBe("ms");
  expect(meaningOf(series("a.render", { unit: "s" }, { kind: "timing" })).unit).toBe("s");
});

test("series of one unit that is spelt in two ways share an axis, others have a plain one", () => {
  const both = [series("a", { unit: "us" }), series("b", { unit: "s" })];
  expect(commonMeaning(both)?.unit).toBe("s");
  expect(inUnits(both).map((one) => one.values)).toEqual([[1e-6, null, 3e-6], [1, null, 3]]);
  const others = [series("a", { unit: "us" }), series("b", { unit: "orders" })];
  expect(commonMeaning(others)).toBe(null);
  expect(inUnits(others)).toBe(others);
});

test("what is told of a graph is told once", () => {
  const meta = { owner: "team-x", description: "Orders." };
  expect(aboutOf([series("a", meta), series("b", meta), series("c")])).toEqual({
    descriptions: ["Orders."], owners: ["team-x"], alerts: [],
  });
  expect(detailsOf(series("a", { ...meta, unit: "orders" }))).toEqual(["Orders.", "unit: orders", "owner: team-x"]);
});

test("sums say in how much time they were counted", () => {
  const counter = (name: string, step: number) => series(name, {}, { kind: "counter", step });
  expect(countedPer([counter("a", 10), counter("b", 10)], "orders")).toBe("orders per 10\u202fs");
  expect(countedPer([counter("a", 60)], "")).toBe("per 1\u202fmin");
  expect(countedPer([counter("a", 10), counter("b", 60)], "orders")).toBe("orders");
  expect(countedPer([counter("a", 10), series("b")], "")).toBe("");
});
