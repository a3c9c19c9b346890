import { expect, test } from "vitest";

import {
  closed, EMPTY, failed, loaded, loading, opened, patternBelow, ROOT, rowsOf, showMore, SHOWN_AT_FIRST, storedBelow, toNodes, type Node,
} from "../src/state/tree";

const node = (path: string, leaf: boolean): Node => ({ text: path.split(".").at(-1) ?? "", path, leaf, branch: !leaf });
const keys = (tree: typeof EMPTY): string[] => rowsOf(tree).map((row) => row.key);

test("the pattern below a branch is one level deep", () => {
  expect(patternBelow(ROOT)).toBe("*");
  expect(patternBelow("hosts.web1")).toBe("hosts.web1.*");
  expect(storedBelow("stats")).toBe("[s]tats.*");
});

test("a name that is a series and a branch is one node", () => {
  const found = [
    { text: "a", leaf: 0, expandable: 1 },
    { text: "a", leaf: 1, expandable: 0 },
  ];
  expect(toNodes(found)).toEqual([{ text: "a", path: "a", leaf: true, branch: true }]);
});

test("a level that is spelt with wildcards is asked for as it is, and its nodes have their own names", () => {
  expect(patternBelow("odd.x[y]")).toBe(String.raw`odd.x\[y\].*`);
  const found = [{ text: "value", leaf: 1, expandable: 0, meta: { unit: "bytes" } }];
  expect(toNodes(found, "odd.x[y]")).toEqual([{ text: "value", path: "odd.x[y].value", leaf: true, branch: false, unit: "bytes" }]);
});

test("a level shows that it loads, then its nodes, then what is open below them", () => {
  expect(rowsOf(EMPTY)[0]).toMatchObject({ row: "note", failed: false });
  let tree = loaded(loading(EMPTY, ROOT), ROOT, [node("a", false), node("b", true)]);
  expect(keys(tree)).toEqual(["a", "b"]);
  tree = loaded(opened(tree, "a"), "a", [node("a.x", true)]);
  expect(rowsOf(tree).map((row) => [row.key, row.depth])).toEqual([["a", 0], ["a.x", 1], ["b", 0]]);
  expect(keys(closed(tree, "a"))).toEqual(["a", "b"]);
});

test("a big level is cut, and shows more when asked", () => {
  const many = Array.from({ length: SHOWN_AT_FIRST * 3 }, (_, i) => node(`n${i}`, true));
  const tree = loaded(EMPTY, ROOT, many);
  expect(rowsOf(tree)).toHaveLength(SHOWN_AT_FIRST + 1);
  expect(rowsOf(tree).at(-1)).toMatchObject({ row: "more", hidden: SHOWN_AT_FIRST * 2 });
  expect(rowsOf(showMore(tree, ROOT))).toHaveLength(many.length);
});

test("looking again keeps what is shown, and a level that is there does not flicker", () => {
  const many = Array.from({ length: SHOWN_AT_FIRST * 3 }, (_, i) => node(`n${i}`, true));
  const tree = showMore(loaded(EMPTY, ROOT, many), ROOT);
  expect(loading(tree, ROOT)).toBe(tree);
  expect(rowsOf(loaded(tree, ROOT, many))).toHaveLength(many.length);
});

test("a level that failed says the server's sentence", () => {
  expect(rowsOf(failed(EMPTY, ROOT, "cannot find: too many"))).toMatchObject([{ text: "cannot find: too many", failed: true }]);
});
