/** The last ten minutes of a source, a bar for each window: what was stored, and on top of it what was not. */

import type { Window } from "../api";
import { formatMoment } from "../format/time";
import { formatCount } from "../format/units";
import { rejectedOf } from "./balance";

const WINDOWS = 60;
const WINDOW_S = 10;
const HEIGHT = 20;
const BAR = 2;

interface Bar {
  readonly start: number;
  readonly stored: number;
  readonly refused: number;
}

export function barsOf(source: string, windows: readonly Window[], nowS: number): readonly Bar[] {
  const last = Math.floor(nowS / WINDOW_S) * WINDOW_S;
  const found = new Map(windows.map((window) => [window.start, window.sources.find((one) => one.source === source)]));
  return Array.from({ length: WINDOWS }, (_, k) => {
    const start = last - (WINDOWS - 1 - k) * WINDOW_S;
    const one = found.get(start);
    return { start, stored: one?.stored ?? 0, refused: one ? rejectedOf(one) + (one.kernel_drops ?? 0) : 0 };
  });
}

export function Strip({ source, windows, nowS }: { readonly source: string; readonly windows: readonly Window[]; readonly nowS: number }) {
  const bars = barsOf(source, windows, nowS);
  const most = Math.max(1, ...bars.map((bar) => bar.stored + bar.refused));
  const stored = bars.reduce((sum, bar) => sum + bar.stored, 0);
  const label = `${formatCount(stored)} samples stored in the last ten minutes`;
  return (
    <svg class="strip" viewBox={`0 0 ${WINDOWS * (BAR + 1)} ${HEIGHT}`} width={WINDOWS * (BAR + 1)} height={HEIGHT} role="img" aria-label={label}>
      {bars.map((bar, k) => {
        const low = height(bar.stored, most);
        const high = height(bar.refused, most);
        return (
          <g key={bar.start}>
            <title>{`${formatMoment(bar.start, nowS)}: ${formatCount(bar.stored)} stored, ${formatCount(bar.refused)} not`}</title>
            <rect class="strip-none" x={k * (BAR + 1)} y={HEIGHT - 1} width={BAR} height={1} />
            <rect class="strip-stored" x={k * (BAR + 1)} y={HEIGHT - low} width={BAR} height={low} />
            <rect class="strip-refused" x={k * (BAR + 1)} y={HEIGHT - low - high} width={BAR} height={high} />
          </g>
        );
      })}
    </svg>
  );
}

/** Whatever there is can be seen. */
function height(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1, Math.round((count / most) * (HEIGHT - 2)));
}
