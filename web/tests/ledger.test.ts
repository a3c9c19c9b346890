import { expect, test } from "vitest";

import { rejectedOf, verdictOf } from "../src/ledger/balance";

const source = (received: number, stored: number, rejected: Record<string, number>) => ({ source: "carbon", received, stored, rejected });

test("a source adds up when all it received is stored or rejected", () => {
  expect(verdictOf(source(10, 7, { fields: 2, value: 1 }))).toEqual({ tone: "good", text: "yes" });
  expect(rejectedOf(source(10, 7, { fields: 2, value: 1 }))).toBe(3);
});

test("what is neither stored nor rejected is on the way", () => {
  expect(verdictOf(source(12000, 7000, {}))).toEqual({ tone: "late", text: "5,000 on the way" });
});

test("more out than in is a fault that is shown", () => {
  expect(verdictOf(source(1, 2, {})).tone).toBe("bad");
});
