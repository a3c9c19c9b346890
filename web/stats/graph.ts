/** One graph on the page: its canvas, and a legend that says the numbers under the crosshair. */

import uPlot from "uplot";

import { isolated, valueRange, type Column } from "../src/chart/band";
import { INK, lineColour } from "../src/chart/palette";
import { formatTick } from "../src/format/time";
import { formatTicks, formatValue, type Unit } from "../src/format/units";
import type { Theme } from "../src/state/theme";
import type { Drawing, Line } from "./numbers";

const HEIGHT_PX = 180;
const AXIS_PX = 64;
/** Errors are whole. */
const WHOLE_STEPS = Array.from({ length: 30 }, (_, i) => ([1, 2, 5][i % 3] ?? 1) * 10 ** Math.floor(i / 3));
const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';

export interface Graph {
  readonly element: HTMLElement;
  readonly fit: () => void;
  readonly destroy: () => void;
}

export function graph(drawing: Drawing, times: number[], theme: Theme): Graph {
  const element = document.createElement("section");
  const heading = document.createElement("h2");
  heading.textContent = drawing.title;
  const told = document.createElement("p");
  told.className = "told";
  told.textContent = drawing.told;
  const canvas = document.createElement("div");
  canvas.className = "canvas";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${drawing.title}: ${drawing.told}`);
  const legend = document.createElement("ul");
  const values = drawing.lines.map((line, i) => entry(legend, line, lineColour(theme, i)));
  element.append(heading, told, canvas, legend);

  const say = (at: number | null): void => drawing.lines.forEach((line, i) => {
    const slot = values[i];
    if (slot) slot.textContent = sayValue(at === null ? line.summary : (line.values[at] ?? null), drawing.unit);
  });
  say(null);
  let plot: uPlot | null = null;
  return {
    element,
    fit: () => {
      const width = canvas.clientWidth;
      if (width === 0) return;
      if (plot) plot.setSize({ width, height: HEIGHT_PX });
      else plot = new uPlot(options(drawing, theme, width, times, say), [times, ...drawing.lines.map((line) => [...line.values])], canvas);
    },
    destroy: () => plot?.destroy(),
  };
}

function entry(legend: HTMLElement, line: Line, colour: string): HTMLElement {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  swatch.style.background = colour;
  const value = document.createElement("strong");
  item.append(swatch, line.label, value);
  legend.append(item);
  return value;
}

function sayValue(value: number | null, unit: Drawing["unit"]): string {
  if (value !== null && unit === "") return Math.round(value).toLocaleString("en-US");
  return value !== null && unit === "/min" ? `${formatValue(value, "")}/min` : formatValue(value, unit as Unit);
}

function options(drawing: Drawing, theme: Theme, width: number, times: readonly number[], say: (at: number | null) => void): uPlot.Options {
  const ink = INK[theme];
  const common = { stroke: ink.axis, font: FONT, ticks: { show: false }, grid: { stroke: ink.rule, width: 1 } };
  return {
    width,
    height: HEIGHT_PX,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [times[0] ?? 0, times.at(-1) ?? 1] },
      y: { range: (_, low, high) => valueRange(low === null ? null : Math.min(0, low), high) },
    },
    axes: [
      { ...common, size: 24, gap: 6, space: 72, values: (_, ticks, __, ___, step) => ticks.map((tick) => formatTick(tick, step)) },
      { ...common, size: AXIS_PX, space: 32, ...(drawing.unit === "" && { incrs: WHOLE_STEPS }), values: (_, ticks) => formatTicks(ticks, drawing.unit === "/min" ? "" : (drawing.unit as Unit)) },
    ],
    series: [{}, ...drawing.lines.map((_, i): uPlot.Series => ({
      stroke: lineColour(theme, i),
      width: 1.5,
      points: {
        show: false,
        size: 5,
        fill: lineColour(theme, i),
        filter: (plot, series) => {
          const places = isolated(plot.data[series] as Column);
          return places.length ? places : null;
        },
      },
    }))],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, width: 2, fill: ink.ground }, sync: { key: "stats" } },
    hooks: { setCursor: [(plot) => say(plot.cursor.left === undefined || plot.cursor.left < 0 ? null : (plot.cursor.idx ?? null))] },
  };
}
