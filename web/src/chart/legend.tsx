/** The series of a graph with their values under the crosshair, or their latest. A click switches a line off. */

import { useState } from "preact/hooks";

import { formatValue, type Unit } from "../format/units";
import { theme } from "../state/theme";
import { lineColour } from "./palette";
import { textWidth } from "./text-width";

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
  /** How many entries there are before somebody asks for all. */
  readonly shownAtFirst: number;
}

/** Swatch, gaps and edges beside label and value. */
const BESIDE_PX = 34;
/** "999 MB/s" has room: values that change do not push their neighbours. Wider ones push in steps. */
const VALUE_PX = 60;
const VALUE_STEP_PX = 16;

export function Legend({ entries, off, onToggle, shownAtFirst }: Props) {
  const [all, setAll] = useState(false);
  const hidden = entries.length - shownAtFirst;
  const shown = all ? entries : entries.slice(0, shownAtFirst);
  const texts = shown.map((entry) => formatValue(entry.value, entry.unit));
  const label = Math.ceil(Math.max(0, ...shown.map((entry) => textWidth(entry.label, "400"))));
  const widest = Math.max(0, ...texts.map((text) => textWidth(text, "600")));
  const value = VALUE_PX + Math.ceil(Math.max(0, widest - VALUE_PX) / VALUE_STEP_PX) * VALUE_STEP_PX;
  return (
    <ul class="legend" style={{ "--entry": `${BESIDE_PX + label + value}px`, "--value": `${value}px` }}>
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
            <span class="legend-value">{texts[i]}</span>
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
