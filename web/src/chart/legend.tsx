/** The series of a graph with their values under the crosshair, or their latest. A click switches a line off. */

import { useState } from "preact/hooks";

import { formatValue, type Unit } from "../format/units";
import { theme } from "../state/theme";
import { lineColour } from "./palette";

export interface Entry {
  readonly name: string;
  readonly label: string;
  readonly value: number | null;
  /** Of this series: where several stand in one graph, its axis has none. */
  readonly unit: Unit;
  /** What is known of the series, a line for each thing. */
  readonly details: readonly string[];
}

interface Props {
  readonly entries: readonly Entry[];
  readonly off: ReadonlySet<number>;
  readonly onToggle: (index: number) => void;
}

const SHOWN_AT_FIRST = 8;
/** Swatch, gaps and value beside a label, and what a letter of it takes; entries stand in columns of one width. */
const BESIDE_LABEL_PX = 96;
const LETTER_PX = 7;

export function Legend({ entries, off, onToggle }: Props) {
  const [all, setAll] = useState(false);
  const hidden = entries.length - SHOWN_AT_FIRST;
  const shown = all ? entries : entries.slice(0, SHOWN_AT_FIRST);
  const letters = Math.max(...shown.map((entry) => entry.label.length));
  return (
    <ul class="legend" style={{ "--entry": `${BESIDE_LABEL_PX + letters * LETTER_PX}px` }}>
      {shown.map((entry, i) => (
        <li key={entry.name}>
          <button
            type="button"
            class="legend-entry"
            aria-pressed={!off.has(i)}
            title={[entry.name, ...entry.details, "click to show or hide"].join("\n")}
            onClick={() => onToggle(i)}
          >
            <span class="swatch" style={{ background: lineColour(theme.value, i) }} />
            <span class="legend-name">{entry.label}</span>
            <span class="legend-value">{formatValue(entry.value, entry.unit)}</span>
          </button>
        </li>
      ))}
      {hidden > 0 && (
        <li>
          <button type="button" class="quiet" onClick={() => setAll(!all)}>
            {all ? "show fewer" : `${hidden} more`}
          </button>
        </li>
      )}
    </ul>
  );
}
