/** How uPlot is set up: axes, lines, bands, and the crosshair that all graphs share. */

import uPlot from "uplot";

import type { Happening } from "../api";
import { formatTick } from "../format/time";
import { BINARY_STEPS, formatTicks, isBinary, type Unit } from "../format/units";
import type { Theme } from "../state/theme";
import { isolated, valueRange, type Column, type Columns } from "./band";
import { drawMarks } from "./marks";
import { bandColour, INK, lineColour, lineDash } from "./palette";
import { textWidth } from "./text-width";

const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';
/** Room for "999 MiB/s" beside the axis, the same on every graph so that their times stand under each other. */
const VALUE_AXIS_PX = 64;
const BESIDE_VALUE_PX = 12;
/** Room above the axis for what is counted. */
const WORD_PX = 20;
const DOT_PX = 7;

export interface Look {
  readonly theme: Theme;
  readonly unit: Unit;
  readonly worded: boolean;
  readonly width: number;
  readonly height: number;
}

export interface Hands {
  readonly span: () => [number, number];
  readonly happenings: () => readonly Happening[];
  readonly onCursor: (at: number | null) => void;
  readonly onZoom: (fromS: number, untilS: number) => void;
  readonly onBack: () => void;
}

export function options(columns: Columns, look: Look, hands: Hands): uPlot.Options {
  return {
    width: look.width,
    height: look.height,
    padding: [look.worded ? WORD_PX : 8, 12, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => hands.span() },
      y: { range: (_, low, high) => valueRange(low, high) },
    },
    axes: axes(look),
    series: [{}, ...columns.banded.flatMap((banded, i) => lines(look.theme, i, banded))],
    bands: columns.banded.flatMap((banded, i) => {
      const at = columns.column[i] ?? 0;
      return banded ? [{ series: [at + 1, at + 2] as [number, number], fill: bandColour(look.theme, i) }] : [];
    }),
    cursor: cursor(hands, look.theme, new Set(columns.column)),
    hooks: {
      draw: [(plot) => drawMarks(plot, hands.happenings(), INK[look.theme].mark)],
      setCursor: [(plot) => hands.onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          hands.onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/**
 * Move the crosshair of all graphs to a place on this one, or away. Done with the mouse's own events, because only
 * those are passed on to the other graphs.
 */
export function moveCrosshair(plot: uPlot, left: number | null): void {
  const { x, y } = plot.over.getBoundingClientRect();
  const event = left === null
    ? new MouseEvent("mouseleave")
    : new MouseEvent("mousemove", { clientX: x + left, clientY: y + DOT_PX });
  plot.over.dispatchEvent(event);
}

function axes({ theme, unit }: Look): uPlot.Axis[] {
  const ink = INK[theme];
  const common = { stroke: ink.axis, font: FONT, ticks: { show: false }, grid: { stroke: ink.rule, width: 1 } };
  return [
    { ...common, size: 24, gap: 6, space: 72, values: (_, ticks, __, ___, step) => ticks.map((tick) => formatTick(tick, step)) },
    {
      ...common,
      // Values that nearly never change need more figures to be told apart.
      size: (_, texts) => Math.max(VALUE_AXIS_PX, BESIDE_VALUE_PX + Math.max(0, ...(texts ?? []).map((text) => textWidth(text, "400")))),
      space: 32,
      values: (_, ticks) => formatTicks(ticks, unit),
      ...(isBinary(unit) && { incrs: BINARY_STEPS }),
    },
  ];
}

function lines(theme: Theme, index: number, banded: boolean): uPlot.Series[] {
  const line: uPlot.Series = {
    stroke: lineColour(theme, index),
    width: 1.5,
    dash: lineDash(index),
    points: {
      show: false,
      size: 5,
      fill: lineColour(theme, index),
      filter: (plot, series) => {
        const places = isolated(plot.data[series] as Column);
        return places.length ? places : null;
      },
    },
  };
  const edge: uPlot.Series = { width: 0, points: { show: false } };
  return banded ? [line, edge, { ...edge }] : [line];
}

function cursor(hands: Hands, theme: Theme, lines: ReadonlySet<number>): uPlot.Cursor {
  return {
    y: false,
    drag: { x: true, y: false, setScale: false, dist: 6 },
    // The edges of a band get no dot under the crosshair.
    points: {
      size: (_, series) => (lines.has(series) ? DOT_PX : 0),
      width: (_, series) => (lines.has(series) ? 2 : 0),
      fill: INK[theme].ground,
    },
    // Only the crosshair is shared; a drag belongs to the graph it is made on.
    sync: {
      key: "tallystick",
      scales: ["x", null],
      setSeries: false,
      filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true },
    },
    bind: {
      dblclick: () => () => {
        hands.onBack();
        return null;
      },
    },
  };
}
