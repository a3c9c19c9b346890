/** Any target expression, as a graph. Enter shows it alone, Shift and Enter adds it. */

import { useEffect, useState } from "preact/hooks";

import { addTarget, showTargets, view } from "../state/view";

export function QueryBar() {
  const { targets } = view.value;
  const shown = targets.length === 1 ? (targets[0] ?? "") : "";
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);

  const show = (event: Event, add: boolean): void => {
    event.preventDefault();
    const target = text.trim();
    if (target === "") return;
    if (add) addTarget(target);
    else showTargets([target]);
  };
  return (
    <form class="query-bar" role="search" onSubmit={(event) => show(event, false)}>
      <input
        type="text"
        aria-label="Target expression"
        placeholder="Any expression: averageSeries(*.hosts.*.*.cpu.user)"
        title="Enter shows the graph; Shift and Enter adds it to the others"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && event.shiftKey && show(event, true)}
      />
      <button type="submit" class="quiet" disabled={text.trim() === ""}>Graph</button>
    </form>
  );
}
