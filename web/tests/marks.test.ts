import { expect, test } from "vitest";

import { saidNear } from "../src/chart/marks";

const at = (when: number, what: string) => ({ when, what, tags: [] });

test("what happened is said where the crosshair is near it, the nearest first", () => {
  const all = [at(100, "deployed shop 4.2"), at(106, "deployed shop 4.3"), at(500, "started shop")];
  expect(saidNear(all, 104, 5, 1000)).toBe("deployed shop 4.3 and 1 more");
  expect(saidNear(all, 495, 5, 1000)).toBe("started shop");
  expect(saidNear(all, 300, 5, 1000)).toBe("");
  expect(saidNear([], 300, 5, 1000)).toBe("");
  expect(saidNear(all, 480, 30, 60)).toBe("started shop");
});
