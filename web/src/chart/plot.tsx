/** A uPlot canvas as a component: made anew when its lines change, given new data when only the values do. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import type { Unit } from "../format/units";
import { theme } from "../state/theme";
import { zoom, zoomBack } from "../state/view";
import type { Columns } from "./band";
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
}

export function Plot({ columns, unit, worded, span, height, off, label, onCursor }: Props) {
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
      onBlur={() => plot.current && moveCrosshair(plot.current, null)}
    />
  );
}

/** What the mouse can do, with keys. */
function steer(plot: uPlot, event: KeyboardEvent): void {
  const times = plot.data[0];
  const at = plot.cursor.idx ?? times.length - 1;
  const steps: Readonly<Record<string, number>> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: times.length - 1 };
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
