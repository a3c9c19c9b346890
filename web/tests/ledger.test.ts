import { expect, test } from "vitest";

import { rejectedOf, verdictOf } from "../src/ledger/balance";

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
