/** One graph: title, canvas, legend, and what is known about its slots. */

import { useMemo, useRef, useState } from "preact/hooks";

import type { Answer } from "../api";
import { distinguish } from "../format/names";
import { aboutOf, commonMeaning, countedPer, detailsOf, inUnits, meaningOf, NO_MEANING } from "../format/meaning";
import { slotNotes } from "../format/slots";
import { readable } from "../format/spelling";
import { formatMoment } from "../format/time";
import { formatValue } from "../format/units";
import { Sentence } from "../parts/sentence";
import { happenings } from "../state/happenings";
import { isMoving } from "../state/range";
import { addressOf, range } from "../state/view";
import { About } from "./about";
import { latest, settled, toColumns, valueAt } from "./band";
import { Complete } from "./complete";
import { Legend, type Entry } from "./legend";
import { saidNear } from "./marks";
import { Plot } from "./plot";
import { useAnswer, useSeen } from "./use-answer";

/** More lines than this cannot be told apart. */
const LINES_MAX = 40;

/** What is asked for does not follow the width, so that a window that is resized asks for nothing. */
const POINTS_SMALL = 400;
const POINTS_LARGE = 800;
const LARGE_PX = 200;
/** Entries of a legend: beside other graphs a long one leaves holes. */
const ENTRIES_SMALL = 6;
const ENTRIES_LARGE = 12;

interface Props {
  readonly target: string;
  readonly title: string;
  readonly height: number;
  readonly onRemove?: () => void;
}

export function Graph({ target, title, height, onRemove }: Props) {
  const box = useRef<HTMLElement>(null);
  const seen = useSeen(box);
  const asked = useAnswer(target, height < LARGE_PX ? POINTS_SMALL : POINTS_LARGE, seen);
  const found = asked.answer?.series.length ?? 0;
  const drawn = useMemo(() => asked.answer && draw(asked.answer, isMoving(range.peek())), [asked.answer]);
  const [cursor, setCursor] = useState<number | null>(null);
  const [focused, setFocused] = useState(false);
  const [off, setOff] = useState<ReadonlySet<number>>(new Set());
  const toggle = (index: number): void => {
    const next = new Set(off);
    if (!next.delete(index)) next.add(index);
    setOff(next);
  };
  const at = drawn ? (cursor ?? latest(drawn.columns)) : 0;
  // What was answered before stays, with a word that there is nothing newer.
  const stale = asked.error !== null && found > 0;
  const time = drawn?.columns.data[0][at];
  const moment = time === undefined ? "" : formatMoment(time, Date.now() / 1000);
  const happened = time === undefined || !asked.answer ? "" : saidNear(happenings.value, time, drawn?.series[0]?.step ?? 0, asked.answer.until - asked.answer.from);
  const entries: readonly Entry[] = (drawn?.series ?? []).map((one, i) => ({
    name: one.name,
    label: drawn?.labels[i] ?? one.name,
    value: drawn ? drawn.own(i, valueAt(drawn.columns.data[drawn.columns.column[i] ?? 0], at)) : null,
    unit: drawn?.meanings[i]?.unit ?? "",
    details: detailsOf(one),
  }));
  return (
    <article class="graph" ref={box} aria-label={title} data-points={drawn?.columns.points ?? 0} data-series={found}>
      <header>
        <div class="graph-title">
          <h3>
            <a href={addressOf({ page: "graphs", targets: [target] })} title={target}>{title}</a>
          </h3>
          {cursor === null && !stale && <Note parts={drawn?.notes ?? []} />}
        </div>
        {stale && <span class="graph-stale" role="alert" title={asked.error ?? ""}>{asked.error}</span>}
        {!stale && cursor !== null && time !== undefined && <span class="graph-moment" title={happened}>{moment}{happened && ` · ${happened}`}</span>}
        {found > 0 && !stale && <Complete target={target} seen={seen} />}
        {onRemove && (
          <button type="button" class="icon" aria-label={`Remove ${title}`} onClick={onRemove}>×</button>
        )}
      </header>
      {drawn && <About told={drawn.about} brief={height < LARGE_PX} />}
      <div class="canvas" style={{ height: `${height}px` }}>
        {drawn && drawn.word !== "" && found > 0 && <span class="axis-word">{drawn.word}</span>}
        {asked.answer && drawn && found > 0 && (
          <Plot
            columns={drawn.columns}
            unit={drawn.unit}
            worded={drawn.word !== ""}
            span={[asked.answer.from, asked.answer.until]}
            height={height}
            off={off}
            label={title}
            onCursor={setCursor}
            onFocus={setFocused}
          />
        )}
        {!asked.answer && !asked.error && <div class="skeleton" aria-label="loading" />}
        {asked.answer && found === 0 && !asked.error && (
          <p class="graph-message"><span>Nothing matches <code>{readable(target)}</code> in this range.</span></p>
        )}
        {drawn && found > 0 && drawn.columns.points === 0 && !asked.error && (
          <p class="graph-message empty-range"><span>No values in this range.</span></p>
        )}
        {asked.error && !stale && <p class="graph-message error" role="alert"><Sentence text={asked.error} /></p>}
      </div>
      {focused && <Spoken entries={entries} heading={[moment, happened].filter(Boolean).join(", ")} />}
      {drawn && (
        <Legend
          entries={entries}
          off={off}
          onToggle={toggle}
          shownAtFirst={height < LARGE_PX ? ENTRIES_SMALL : ENTRIES_LARGE}
        />
      )}
      {!drawn && <ul class="legend" aria-hidden="true"><li class="legend-entry">&nbsp;</li></ul>}
      {found > LINES_MAX && (
        <p class="graph-more">
          {LINES_MAX} of {found} series are drawn;{" "}
          <a href={addressOf({ page: "graphs", targets: [`highestAverage(${target},${LINES_MAX})`] })}>the {LINES_MAX} highest</a>, or a narrower
          target, show others.
        </p>
      )}
    </article>
  );
}

const SPOKEN_MAX = 6;

/** What stands under the crosshair, for whoever moves it by keys and hears the page. */
function Spoken({ entries, heading }: { readonly entries: readonly Entry[]; readonly heading: string }) {
  const said = entries.slice(0, SPOKEN_MAX).map((one) => `${one.label} ${formatValue(one.value, one.unit)}`);
  return <p class="unseen" aria-live="polite">{[heading, ...said].join(", ")}</p>;
}

/** What the slots are, until when they are kept, and more: as much of it as the name leaves room for. */
function Note({ parts }: { readonly parts: readonly string[] }) {
  return (
    <span class="graph-note">
      {parts.map((part, i) => <span key={part} title={parts.join(" · ")}>{i > 0 && " · "}{part}</span>)}
    </span>
  );
}

function draw(answer: Answer, moving: boolean) {
  const shown = answer.series.slice(0, LINES_MAX);
  const series = moving ? shown.map((one) => settled(one, answer.until)) : shown;
  const meanings = series.map(meaningOf);
  const common = commonMeaning(series);
  const { unit, word } = common ?? NO_MEANING;
  return {
    series,
    meanings,
    /** A value as it is drawn, in the unit of its own series. */
    own: (i: number, value: number | null) => (value === null || common ? value : value * (meanings[i]?.factor ?? 1)),
    columns: toColumns(inUnits(series)),
    labels: distinguish(series.map((one) => one.name)),
    unit,
    word: countedPer(series, word),
    about: aboutOf(series),
    notes: slotNotes(series, Date.now() / 1000),
  };
}
