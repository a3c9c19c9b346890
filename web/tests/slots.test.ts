import { expect, test } from "vitest";

import type { Part, Series } from "../src/api";
import { slotNotes } from "../src/format/slots";

const NOW = new Date(2026, 10, 22, 12, 0).getTime() / 1000;
const DAY = 86400;

const series = (change: Partial<Series>): Series => ({
  name: "a", target: "a", kind: "gauge", start: NOW - 3600, step: 10, values: [], ...change,
});
const part = (start: number, step: number, kept: number, until = NOW): Part => ({
  start, until, step, expires: start + step + kept,
});
const parts = (...found: Part[]) => ({ meta: { parts: found } });
const said = (...found: Series[]) => slotNotes(found, NOW).join(" · ").replaceAll("\u202f", " ");

test("slots of one resolution are told with their end", () => {
  expect(said(series(parts(part(NOW - 3600, 10, 10 * DAY))))).toBe("10 s slots · kept until 2 Dec");
});

test("what goes today or tomorrow is told to the minute", () => {
  expect(said(series(parts(part(NOW - 900, 1, 3600))))).toBe("10 s slots of 1 s · kept until 12:45");
  expect(said(series(parts(part(NOW - 3600, 10, DAY))))).toBe("10 s slots · kept until 23 Nov 11:00");
});

test("what goes in another year has its year", () => {
  expect(said(series({ step: 3600, ...parts(part(NOW - 90 * DAY, 3600, 730 * DAY)) }))).toBe("1 h slots · kept until 23 Aug 2028");
});

test("slots that share a pixel say what they are made of", () => {
  expect(said(series({ step: 600, ...parts(part(NOW - DAY, 10, 10 * DAY)) }))).toBe("10 min slots of 10 s · kept until 1 Dec");
});

test("a range that reaches into finer data says since when it is there", () => {
  const crossing = parts(
    part(NOW - 30 * DAY, 300, 90 * DAY, NOW - 20 * DAY),
    part(NOW - 20 * DAY, 60, 30 * DAY, NOW - 10 * DAY),
    part(NOW - 10 * DAY, 10, 10 * DAY),
  );
  expect(said(series({ step: 3600, kind: "counter", ...crossing }))).toBe("1 h sums · kept until 21 Jan 2027 · 10 s since 12 Nov");
});

test("coarse data after finer one, as a change of the rules leaves it, is not told as finer", () => {
  const changed = parts(part(NOW - 10 * DAY, 10, 12 * DAY, NOW - 5 * DAY), part(NOW - 5 * DAY, 60, 30 * DAY));
  expect(said(series({ step: 60, ...changed }))).toBe("1 min slots · kept until 24 Nov");
});

test("of several series the first slot to go counts, and what functions made says its step only", () => {
  const long = series(parts(part(NOW - 3600, 10, 30 * DAY)));
  const short = series(parts(part(NOW - 3600, 10, 5 * DAY)));
  expect(said(long, short)).toBe("10 s slots · kept until 27 Nov");
  expect(said(series({ kind: null, step: 60 }))).toBe("1 min slots");
  expect(said()).toBe("");
});
