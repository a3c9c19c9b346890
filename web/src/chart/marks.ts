/** Happenings on a graph: a dashed line at the time of each, and its words where the crosshair comes near. */

import type uPlot from "uplot";

import type { Happening } from "../api";

const FOOT_PX = 4;
/** Of the range that is shown: about what a pointer can hit. */
const NEAR = 0.01;

export function drawMarks(plot: uPlot, happenings: readonly Happening[], colour: string): void {
  const { ctx, bbox } = plot;
  const pixel = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = pixel;
  for (const { when } of happenings) {
    const x = Math.round(plot.valToPos(when, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const foot = bbox.top + bbox.height;
    ctx.setLineDash([3 * pixel, 3 * pixel]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, foot);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, foot - FOOT_PX * pixel);
    ctx.lineTo(x - FOOT_PX * pixel, foot + FOOT_PX * pixel);
    ctx.lineTo(x + FOOT_PX * pixel, foot + FOOT_PX * pixel);
    ctx.fill();
  }
  ctx.restore();
}

/** What happened in a slot, or about as near as a pointer can hit: the nearest and how many others; empty if nothing did. */
export function saidNear(happenings: readonly Happening[], timeS: number, stepS: number, spanS: number): string {
  const nearS = Math.max(stepS, spanS * NEAR);
  const away = (one: Happening): number => Math.abs(one.when - timeS);
  const near = happenings.filter((one) => away(one) <= nearS).sort((a, b) => away(a) - away(b));
  const [first, ...others] = near;
  if (first === undefined) return "";
  return others.length ? `${first.what} and ${others.length} more` : first.what;
}
