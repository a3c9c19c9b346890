import { expect, test } from "vitest";

import { squarify } from "../src/series/squarify";

const WITHIN = { x: 10, y: 20, width: 600, height: 400 };

test.each([[[6, 6, 4, 3, 2, 2, 1]], [[1]], [[1000, 1, 1]], [[5, 5]], [Array.from({ length: 60 }, (_, k) => 1000 / (k + 1))]])(
  "boxes of %j have their areas, lie inside and fill the whole",
  (sizes) => {
    const boxes = squarify(sizes, WITHIN);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(boxes).toHaveLength(sizes.length);
    boxes.forEach((box, i) => {
      expect(box.width * box.height).toBeCloseTo((240000 * (sizes[i] ?? 0)) / total, 3);
      expect(box.x).toBeGreaterThanOrEqual(9.999);
      expect(box.y).toBeGreaterThanOrEqual(19.999);
      expect(box.x + box.width).toBeLessThanOrEqual(610.001);
      expect(box.y + box.height).toBeLessThanOrEqual(420.001);
    });
  },
);

test("no two boxes overlap", () => {
  const boxes = squarify([9, 7, 5, 3, 2, 1, 1], WITHIN);
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
    const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
    const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
    expect(Math.min(wide, high)).toBeLessThan(0.001);
  }));
});

test("boxes are rather square than long", () => {
  const longest = squarify([6, 6, 4, 3, 2, 2, 1], WITHIN).map((box) => Math.max(box.width / box.height, box.height / box.width));
  expect(Math.max(...longest)).toBeLessThan(3);
});

test("nothing has no boxes", () => {
  expect(squarify([], WITHIN)).toEqual([]);
});
