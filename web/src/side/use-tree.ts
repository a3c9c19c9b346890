/** The tree of names and its loading. */

import { useEffect, useRef, useState } from "preact/hooks";

import { find } from "../api";
import { beat } from "../state/live";
import {
  closed, EMPTY, failed, loaded, loading, opened, patternBelow, ROOT, showMore, toNodes, type Tree,
} from "../state/tree";

/** Open levels are looked at again this often, for names that are new. */
const LOOK_AGAIN_BEATS = 3;

export interface TreeHands {
  readonly tree: Tree;
  readonly toggle: (path: string) => void;
  readonly more: (path: string) => void;
}

export function useTree(): TreeHands {
  const [tree, setTree] = useState<Tree>(EMPTY);
  const current = useRef(tree);
  current.current = tree;
  const round = Math.floor(beat.value / (tree.levels.get(ROOT)?.state === "loaded" && !isBare(tree) ? LOOK_AGAIN_BEATS : 1));

  const load = async (path: string): Promise<void> => {
    setTree((before) => loading(before, path));
    const found = await find(patternBelow(path));
    setTree((before) => {
      if (found.ok) return loaded(before, path, toNodes(found.value, path));
      // A level that is there stays: the server will answer again.
      return before.levels.get(path)?.state === "loaded" ? before : failed(before, path, found.error);
    });
  };

  useEffect(() => {
    [ROOT, ...current.current.open].forEach((path) => void load(path));
  }, [round]);

  const toggle = (path: string): void => {
    if (tree.open.has(path)) {
      setTree(closed(tree, path));
    } else {
      setTree(opened(tree, path));
      void load(path);
    }
  };
  return { tree, toggle, more: (path) => setTree(showMore(tree, path)) };
}

function isBare(tree: Tree): boolean {
  const root = tree.levels.get(ROOT);
  return root?.state === "loaded" && root.nodes.length === 0;
}
