import { expect, test } from "vitest";

import { asGlob, asTarget, readable } from "../src/format/spelling";

// What the server makes of these is tried in a browser: tests/browser/test_names_tree.py.
test.each([
  ["web.orders", "web.orders", "web.orders"],
  ["a.f(x).b", "a.f(x).b", String.raw`a.f\(x\).b`],
  ["a.x*y", String.raw`a.x\*y`, String.raw`a.x\\*y`],
  ["a.b[c]", String.raw`a.b\[c\]`, String.raw`a.b\\[c\\]`],
  ["a.{b,c}", String.raw`a.\{b,c\}`, String.raw`a.\\\{b\\\,c\\\}`],
  [String.raw`a\b`, String.raw`a\\b`, String.raw`a\\\\b`],
  [`a.it's"so"|b`, `a.it's"so"|b`, String.raw`a.it\'s\"so\"\|b`],
  ["r;route=/a/(id)", "r;route=/a/(id)", String.raw`r;route=/a/\(id\)`],
])("the name %s is asked for by itself", (name, glob, target) => {
  expect(asGlob(name)).toBe(glob);
  expect(asTarget(name)).toBe(target);
  expect(readable(target)).toBe(name);
});

test("an expression is read as it was written", () => {
  for (const target of ["sumSeries(a.*)", "a.{b,c}", String.raw`alias(a.f\(x\), "f")`]) expect(readable(target)).toBe(target);
});
