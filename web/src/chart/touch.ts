/** A finger drawn across a graph selects what a mouse selects by dragging. uPlot knows mice only; a tap is one to it. */

import type uPlot from "uplot";

/** Less is a tap that was not quite still, or the beginning of a scroll. */
const FIRST_PX = 12;
const NONE = { left: 0, top: 0, width: 0, height: 0 };

export function followTouch(plot: uPlot, onZoom: (fromS: number, untilS: number) => void): void {
  const { over } = plot;
  let begin: number | null = null;

  const end = (): void => {
    begin = null;
    plot.setSelect(NONE, false);
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    // A second finger means something else.
    if (event.isPrimary) begin = placeOf(over, event);
    else end();
  });
  over.addEventListener("pointermove", (event) => {
    if (begin === null || event.pointerType === "mouse") return;
    const at = placeOf(over, event);
    const width = Math.abs(at - begin);
    if (width < FIRST_PX && plot.select.width === 0) return;
    plot.setSelect({ left: Math.min(at, begin), top: 0, width, height: over.clientHeight }, false);
  });
  over.addEventListener("pointerup", (event) => {
    if (begin === null || event.pointerType === "mouse") return;
    const { left, width } = plot.select;
    end();
    if (width >= FIRST_PX) onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  });
  // The browser took it for a scroll.
  over.addEventListener("pointercancel", end);
}

/** Pixels from the left of the graph, and never beyond its edges. */
function placeOf(over: HTMLElement, event: PointerEvent): number {
  return Math.min(over.clientWidth, Math.max(0, event.clientX - over.getBoundingClientRect().left));
}
