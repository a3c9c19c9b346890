/** The tree of names as a value: levels are loaded when they are opened, and big ones are cut. */

import type { Found } from "../api";
import { asGlob } from "../format/spelling";

export const SHOWN_AT_FIRST = 100;
/** The level above everything. */
export const ROOT = "";

export interface Node {
  readonly text: string;
  readonly path: string;
  readonly leaf: boolean;
  readonly branch: boolean;
  /** Of the series of this name, as it was said. */
  readonly unit?: string;
}

export type Level =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly sentence: string }
  | { readonly state: "loaded"; readonly nodes: readonly Node[]; readonly shown: number };

export interface Tree {
  readonly open: ReadonlySet<string>;
  readonly levels: ReadonlyMap<string, Level>;
}

export type Row =
  | { readonly row: "node"; readonly key: string; readonly depth: number; readonly node: Node; readonly open: boolean }
  | { readonly row: "note"; readonly key: string; readonly depth: number; readonly text: string; readonly failed: boolean }
  | { readonly row: "more"; readonly key: string; readonly depth: number; readonly parent: string; readonly hidden: number };

export const EMPTY: Tree = { open: new Set(), levels: new Map() };

/** What to ask `/metrics/find` for to see the level below `path`. */
export function patternBelow(path: string): string {
  return path === ROOT ? "*" : `${asGlob(path)}.*`;
}

/** Nodes of the level below `path`. A name that is a series and a branch may come twice; here it is one node. */
export function toNodes(found: readonly Found[], path: string = ROOT): Node[] {
  const nodes = new Map<string, Node>();
  for (const one of found) {
    const before = nodes.get(one.text);
    const unit = one.meta?.unit ?? before?.unit;
    nodes.set(one.text, {
      text: one.text,
      path: path === ROOT ? one.text : `${path}.${one.text}`,
      leaf: Boolean(one.leaf) || (before?.leaf ?? false),
      branch: Boolean(one.expandable) || (before?.branch ?? false),
      ...(unit && { unit }),
    });
  }
  return [...nodes.values()];
}

/** The same for names that were sent. A pattern that begins with a wildcard finds none that are made when they are read. */
export function storedBelow(path: string): string {
  return /^\w/.test(path) ? `[${path.slice(0, 1)}]${asGlob(path.slice(1))}.*` : patternBelow(path);
}

function withLevel(tree: Tree, path: string, level: Level): Tree {
  return { ...tree, levels: new Map(tree.levels).set(path, level) };
}

export function opened(tree: Tree, path: string): Tree {
  return { ...tree, open: new Set(tree.open).add(path) };
}

export function closed(tree: Tree, path: string): Tree {
  const open = new Set(tree.open);
  open.delete(path);
  return { ...tree, open };
}

export function loading(tree: Tree, path: string): Tree {
  return tree.levels.get(path)?.state === "loaded" ? tree : withLevel(tree, path, { state: "loading" });
}

/** A level arrived; one that was there before keeps how much of it is shown. */
export function loaded(tree: Tree, path: string, nodes: readonly Node[]): Tree {
  const before = tree.levels.get(path);
  const shown = before?.state === "loaded" ? before.shown : SHOWN_AT_FIRST;
  return withLevel(tree, path, { state: "loaded", nodes, shown });
}

export function failed(tree: Tree, path: string, sentence: string): Tree {
  return withLevel(tree, path, { state: "failed", sentence });
}

export function showMore(tree: Tree, path: string): Tree {
  const level = tree.levels.get(path);
  return level?.state === "loaded" ? withLevel(tree, path, { ...level, shown: level.shown * 4 }) : tree;
}

/** Everything that is open, as the flat list that is drawn. */
export function rowsOf(tree: Tree, path: string = ROOT, depth = 0): Row[] {
  const level = tree.levels.get(path);
  if (level === undefined || level.state === "loading") {
    return [{ row: "note", key: `${path}\0loading`, depth, text: "loading …", failed: false }];
  }
  if (level.state === "failed") {
    return [{ row: "note", key: `${path}\0failed`, depth, text: level.sentence, failed: true }];
  }
  const rows: Row[] = level.nodes.slice(0, level.shown).flatMap((node): Row[] => {
    const open = node.branch && tree.open.has(node.path);
    const self: Row = { row: "node", key: node.path, depth, node, open };
    return open ? [self, ...rowsOf(tree, node.path, depth + 1)] : [self];
  });
  const hidden = level.nodes.length - level.shown;
  if (hidden > 0) rows.push({ row: "more", key: `${path}\0more`, depth, parent: path, hidden });
  return rows;
}
