import { expect, test } from "vitest";

import { DEFAULT_RANGE } from "../src/state/range";
import { readView, writeView, type View } from "../src/state/url";

const FIXED = { from: "1700000000", until: "1700003600" };

test.each<View>([
  { page: "overview", at: "", targets: [], range: DEFAULT_RANGE },
  { page: "overview", at: "hosts.web1", targets: [], range: FIXED },
  { page: "graphs", at: "", targets: ["a.b", "alias(sumSeries(a.{b,c}), 'x & y #1 ü')"], range: { from: "-7d", until: "now" } },
  { page: "ledger", at: "", targets: [], range: DEFAULT_RANGE },
  { page: "blocks", at: "", targets: [], range: DEFAULT_RANGE },
  { page: "series", at: "hosts.web1", targets: [], range: DEFAULT_RANGE },
])("a view comes back from its link: %j", (view) => {
  expect(readView(writeView(view))).toEqual(view);
});

test("the plainest view has the plainest link", () => {
  expect(writeView({ page: "overview", at: "", targets: [], range: DEFAULT_RANGE })).toBe("#/");
});

test.each(["", "#", "#/", "#/nothing/here", "#?target=", "#/?target=%20"])("the link %j shows the overview", (hash) => {
  expect(readView(hash)).toEqual({ page: "overview", at: "", targets: [], range: DEFAULT_RANGE });
});

test("a link cannot ask for endless graphs", () => {
  const hash = `#/?${Array.from({ length: 1000 }, (_, i) => `target=t${i}`).join("&")}`;
  expect(readView(hash).targets.length).toBe(24);
});
