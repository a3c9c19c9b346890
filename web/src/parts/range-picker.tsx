/** Which stretch of time all graphs show. */

import { useState } from "preact/hooks";

import { formatMoment, timeZone } from "../format/time";
import { absolute, fromInput, isMoving, PRESETS, toInput } from "../state/range";
import { range, setRange, zoomBack } from "../state/view";

export function RangePicker() {
  const [custom, setCustom] = useState(false);
  const current = range.value;
  const fixed = !isMoving(current);
  return (
    <div class="range">
      {fixed && <FixedSpan from={Number(current.from)} until={Number(current.until)} />}
      <div class="segments" role="group" aria-label="Range of time">
        {PRESETS.map((preset) => (
          <button
            key={preset.from}
            type="button"
            aria-label={preset.spoken}
            aria-pressed={current.from === preset.from}
            onClick={() => setRange({ from: preset.from, until: "now" })}
          >
            {preset.label}
          </button>
        ))}
        <button type="button" aria-expanded={custom} aria-pressed={fixed} onClick={() => setCustom(!custom)}>Custom</button>
      </div>
      {custom && <CustomRange onDone={() => setCustom(false)} />}
    </div>
  );
}

function FixedSpan({ from, until }: { readonly from: number; readonly until: number }) {
  const now = Date.now() / 1000;
  return (
    <span class="span" title={`times of ${timeZone()}`}>
      {formatMoment(from, now)} – {formatMoment(until, now)}
      <button type="button" class="quiet" title="double-click on a graph does the same" onClick={zoomBack}>zoom out</button>
    </span>
  );
}

const HOUR_S = 3600;

function CustomRange({ onDone }: { readonly onDone: () => void }) {
  const now = Date.now() / 1000;
  const { from, until } = range.value;
  const fixed = !isMoving(range.value);
  const [start, setStart] = useState(toInput(fixed ? Number(from) : now - HOUR_S));
  const [end, setEnd] = useState(toInput(fixed ? Number(until) : now));
  const startS = fromInput(start);
  const endS = fromInput(end);
  const good = startS !== null && endS !== null && startS < endS;
  return (
    <form
      class="custom"
      onKeyDown={(event) => event.key === "Escape" && onDone()}
      onSubmit={(event) => {
        event.preventDefault();
        if (!good) return;
        setRange(absolute(startS, endS));
        onDone();
      }}
    >
      <label>from <input type="datetime-local" value={start} onInput={(event) => setStart(event.currentTarget.value)} /></label>
      <label>until <input type="datetime-local" value={end} onInput={(event) => setEnd(event.currentTarget.value)} /></label>
      <p class="zone">Times of {timeZone()}.</p>
      {!good && <p class="error" role="alert">The start must be before the end.</p>}
      <div class="buttons">
        <button type="button" class="quiet" onClick={onDone}>Cancel</button>
        <button type="submit" class="primary" disabled={!good}>Show</button>
      </div>
    </form>
  );
}
