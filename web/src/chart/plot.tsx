/** A uPlot canvas as a component: made anew when its lines change, given new data when only the values do. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import type { Unit } from "../format/units";
import { happenings } from "../state/happenings";
import { theme } from "../state/theme";
import { zoom, zoomBack } from "../state/view";
import type { Column, Columns } from "./band";
import { moveCrosshair, options } from "./options";
import { followTouch } from "./touch";

interface Props {
  readonly columns: Columns;
  readonly unit: Unit;
  /** Whether a word stands above the axis of values. */
  readonly worded: boolean;
  readonly span: readonly [number, number];
  readonly height: number;
  /** Series that the reader switched off. */
  readonly off: ReadonlySet<number>;
  readonly label: string;
  readonly onCursor: (at: number | null) => void;
  readonly onFocus: (focused: boolean) => void;
}

export function Plot({ columns, unit, worded, span, height, off, label, onCursor, onFocus }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  // What the canvas asks for later is read from here, so that it never sees an older render.
  const now = useRef({ columns, span, onCursor });
  now.current = { columns, span, onCursor };
  const shape = `${columns.banded.join()} ${unit} ${worded} ${height} ${theme.value}`;

  useLayoutEffect(() => {
    const parent = box.current;
    if (!parent) return undefined;
    const look = { theme: theme.value, unit, worded, width: parent.clientWidth, height };
    const made = new uPlot(
      options(now.current.columns, look, {
        span: () => [...now.current.span],
        happenings: () => happenings.peek(),
        onCursor: (at) => now.current.onCursor(at),
        onZoom: zoom,
        onBack: zoomBack,
      }),
      now.current.columns.data as uPlot.AlignedData,
      parent,
    );
    plot.current = made;
    followTouch(made, zoom);
    const watch = new ResizeObserver(() => {
      if (parent.clientWidth > 0 && parent.clientWidth !== made.width) {
        made.setSize({ width: parent.clientWidth, height });
      }
    });
    watch.observe(parent);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => plot.current?.redraw(false, false), [happenings.value]);

  useEffect(() => {
    plot.current?.setData(columns.data as uPlot.AlignedData);
  }, [columns, shape]);

  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.batch(() => {
      columns.column.forEach((at, i) => {
        const last = at + (columns.banded[i] ? 2 : 0);
        for (let one = at; one <= last; one += 1) {
          if (made.series[one]?.show === off.has(i)) made.setSeries(one, { show: !off.has(i) });
        }
      });
    });
  }, [off, shape]);

  return (
    <div
      class="plot"
      ref={box}
      tabIndex={0}
      role="group"
      aria-label={`${label}. Arrow keys move the crosshair, plus zooms in, minus zooms out.`}
      onKeyDown={(event) => plot.current && steer(plot.current, event)}
      onFocus={() => onFocus(true)}
      onBlur={() => {
        onFocus(false);
        if (plot.current) moveCrosshair(plot.current, null);
      }}
    />
  );
}

/** What the mouse can do, with keys. */
function steer(plot: uPlot, event: KeyboardEvent): void {
  const times = plot.data[0];
  const newest = newestOf(plot);
  const shown = plot.cursor.idx ?? null;
  const at = shown ?? newest;
  // The first step is to the newest value, not to the slots behind it that have none yet.
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: shown === null ? newest : at - 1, ArrowRight: shown === null ? newest : at + 1, Home: 0, End: newest,
  };
  const target = steps[event.key];
  if (target !== undefined) {
    const time = times[Math.max(0, Math.min(times.length - 1, target))];
    if (time !== undefined) moveCrosshair(plot, plot.valToPos(time, "x"));
  } else if (event.key === "+" || event.key === "=") {
    const [low, high] = [plot.scales["x"]?.min ?? 0, plot.scales["x"]?.max ?? 0];
    const centre = times[at] ?? (low + high) / 2;
    zoom(Math.max(low, centre - (high - low) / 4), Math.min(high, centre + (high - low) / 4));
  } else if (event.key === "-") {
    zoomBack();
  } else {
    return;
  }
  event.preventDefault();
}

/** Place of the last slot in which anything is known, else of the last one. */
function newestOf(plot: uPlot): number {
  const [times, ...columns] = plot.data;
  const places = columns.map((column) => (column as Column).findLastIndex((value) => typeof value === "number"));
  const newest = Math.max(-1, ...places);
  return newest < 0 ? times.length - 1 : newest;
}
