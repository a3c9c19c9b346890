import { expect, test } from "vitest";

import { sayComplete } from "../src/chart/complete-words";
import { rejectedOf, verdictOf } from "../src/ledger/balance";
import { barsOf } from "../src/ledger/strip";

const source = (received: number, stored: number, rejected: Record<string, number>, more = {}) => ({
  source: "carbon", received, stored, rejected, ...more,
});

test("a source adds up when all it received is stored or rejected", () => {
  expect(verdictOf(source(10, 7, { fields: 2, value: 1 }))).toEqual({ tone: "good", text: "yes" });
  expect(rejectedOf(source(10, 7, { fields: 2, value: 1 }))).toBe(3);
});

test("what is on the way is no loss", () => {
  expect(verdictOf(source(12000, 7000, {}, { in_flight: 5000 }))).toEqual({ tone: "good", text: "yes, 5,000 on the way" });
  expect(verdictOf(source(12000, 7000, {})).tone).toBe("good");
});

test("more out than in, or less than all, is a fault that is shown", () => {
  expect(verdictOf(source(1, 2, {}))).toEqual({ tone: "bad", text: "1 too many" });
  expect(verdictOf(source(5, 2, {}, { in_flight: 1 }))).toEqual({ tone: "bad", text: "2 are missing" });
});

test("datagrams that never reached us are told", () => {
  expect(verdictOf(source(5, 5, {}, { in_flight: 0, kernel_drops: 12 })).text).toContain("dropped 12");
});

test("a numbered sender's loss and connections that were turned away are told", () => {
  expect(verdictOf(source(5, 5, {}, { in_flight: 0, lost_on_the_way: 3 })).text).toBe("3 were sent and never came");
  expect(verdictOf(source(5, 5, {}, { in_flight: 0, queue_drops: 2 })).tone).toBe("late");
});

test("a strip has a bar for each window of the last ten minutes, and empty ones where nothing came", () => {
  const one = { source: "carbon", received: 5, stored: 3, rejected: { value: 2 } };
  const bars = barsOf("carbon", [{ start: 990, sources: [one] }, { start: 980, sources: [{ ...one, source: "udp" }] }], 1003);
  expect(bars).toHaveLength(60);
  expect(bars.at(-1)).toEqual({ start: 1000, stored: 0, refused: 0 });
  expect(bars.at(-2)).toEqual({ start: 990, stored: 3, refused: 2 });
  expect(bars.at(-3)?.stored).toBe(0);
});

const complete = (share: number | null, more = {}) => ({
  complete: share, stored: 1000, lost: 0, causes: {}, prefixes: ["shop.web1"], ...more,
});

test("completeness is said only where something is known, and never rounded up to whole", () => {
  expect(sayComplete(complete(null))).toBeNull();
  expect(sayComplete(complete(1))?.text).toBe("complete 100\u202f%");
  expect(sayComplete(complete(0.999999))?.text).toBe("complete 99.99\u202f%");
  expect(sayComplete(complete(0.5))?.tone).toBe("bad");
});

test("what was lost is told by cause, the largest first", () => {
  const said = sayComplete(complete(0.99, { lost: 10.5, causes: { future: 2, kernel_drops: 8.5 } }));
  expect(said?.detail.split("\n")).toEqual([
    "1,000 samples of shop.web1 were stored, about 11 lost", "kernel drops: about 9", "future: 2",
  ]);
});
