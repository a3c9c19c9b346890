/** The tree as it is drawn; keys as in any tree: arrows move and open, Enter shows. */

import { useRef, useState } from "preact/hooks";

import { asTarget } from "../format/spelling";
import { rowsOf, type Node, type Row } from "../state/tree";
import { addTarget, showOverview, showTargets, view } from "../state/view";
import { useTree } from "./use-tree";

type NodeRow = Extract<Row, { row: "node" }>;

export function NamesTree({ onChosen }: { readonly onChosen: () => void }) {
  const { tree, toggle, more } = useTree();
  const [focused, setFocused] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const rows = rowsOf(tree);
  const nodes = rows.filter((row): row is NodeRow => row.row === "node");
  const tabStop = nodes.some((row) => row.key === focused) ? focused : (nodes[0]?.key ?? null);

  const move = (key: string | undefined): void => {
    if (key === undefined) return;
    setFocused(key);
    list.current?.querySelector<HTMLElement>(`[data-place="${nodes.findIndex((row) => row.key === key)}"]`)?.focus();
  };
  const choose = (node: Node): void => {
    if (node.leaf) showTargets([asTarget(node.path)]);
    else showOverview(node.path);
    if (node.branch && !tree.open.has(node.path)) toggle(node.path);
    if (node.leaf) onChosen();
  };
  const onKey = (event: KeyboardEvent, row: NodeRow): void => {
    const at = nodes.findIndex((one) => one.key === row.key);
    const { node, open } = row;
    if (event.key === "ArrowDown") move(nodes[at + 1]?.key);
    else if (event.key === "ArrowUp") move(nodes[at - 1]?.key);
    else if (event.key === "Home") move(nodes[0]?.key);
    else if (event.key === "End") move(nodes.at(-1)?.key);
    else if (event.key === "ArrowRight" && node.branch && !open) toggle(node.path);
    else if (event.key === "ArrowRight" && open) move(nodes[at + 1]?.key);
    else if (event.key === "ArrowLeft" && open) toggle(node.path);
    else if (event.key === "ArrowLeft") move(nodes.slice(0, at).findLast((one) => one.depth < row.depth)?.key);
    else if (event.key === "Enter" || event.key === " ") choose(node);
    else return;
    event.preventDefault();
  };

  if (rows.length === 0) return <p class="side-note">No series yet.</p>;
  return (
    <ul class="tree" role="tree" aria-label="Names" ref={list}>
      {rows.map((row) => {
        const indent = { paddingLeft: `${8 + row.depth * 16}px` };
        if (row.row === "note") {
          return <li key={row.key} role="none" class={row.failed ? "tree-note error" : "tree-note"} style={indent}>{row.text}</li>;
        }
        if (row.row === "more") {
          return (
            <li key={row.key} role="none" style={indent}>
              <button type="button" class="quiet" onClick={() => more(row.parent)}>show more ({row.hidden})</button>
            </li>
          );
        }
        return (
          <Branch
            key={row.key}
            row={row}
            place={nodes.indexOf(row)}
            tabStop={row.key === tabStop}
            onKey={(event) => onKey(event, row)}
            onFocus={() => setFocused(row.key)}
            onToggle={() => toggle(row.node.path)}
            onChoose={() => choose(row.node)}
          />
        );
      })}
    </ul>
  );
}

interface BranchProps {
  readonly row: NodeRow;
  readonly place: number;
  readonly tabStop: boolean;
  readonly onKey: (event: KeyboardEvent) => void;
  readonly onFocus: () => void;
  readonly onToggle: () => void;
  readonly onChoose: () => void;
}

function Branch({ row, place, tabStop, onKey, onFocus, onToggle, onChoose }: BranchProps) {
  const { node, depth, open } = row;
  const { at, targets } = view.value;
  const current = at === node.path || (node.leaf && targets.includes(asTarget(node.path)));
  return (
    <li
      role="treeitem"
      class={node.leaf ? "tree-row leaf" : "tree-row"}
      aria-level={depth + 1}
      aria-expanded={node.branch ? open : undefined}
      aria-selected={current}
      tabIndex={tabStop ? 0 : -1}
      data-place={place}
      title={node.path}
      style={{ paddingLeft: `${8 + depth * 16}px` }}
      onKeyDown={onKey}
      onFocus={onFocus}
      onClick={onChoose}
    >
      <span
        class={open ? "twig open" : "twig"}
        onClick={(event) => {
          if (!node.branch) return;
          event.stopPropagation();
          onToggle();
        }}
      >
        {node.branch && <svg viewBox="0 0 16 16" aria-hidden="true"><path d="m6 4 4 4-4 4" /></svg>}
      </span>
      <span class="tree-text">{node.text}</span>
      {node.leaf && (
        <button
          type="button"
          class="tree-add"
          tabIndex={-1}
          aria-label={`Add a graph of ${node.path}`}
          title="add below the others"
          onClick={(event) => {
            event.stopPropagation();
            addTarget(asTarget(node.path));
          }}
        >
          +
        </button>
      )}
    </li>
  );
}
