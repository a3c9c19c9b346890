/** What is seen first: graphs chosen from what exists, or how to send the first number. */

import { useEffect, useState } from "preact/hooks";

import { find } from "../api";
import { Graph } from "../chart/graph";
import { beat } from "../state/live";
import { patternBelow, storedBelow, toNodes, type Node } from "../state/tree";
import { addressOf } from "../state/view";
import { discover, isOwn, type Section } from "./discover";
import { Empty } from "./empty";

/** Of one section there are many graphs at once; of several, each has so many that the next is not far. */
const GRAPHS_AT_FIRST = 18;
const GRAPHS_OF_SEVERAL = 9;
/** New names appear at the pace at which people deploy; an empty page looks at each beat. */
const LOOK_AGAIN_BEATS = 6;

interface Known {
  readonly at: string;
  readonly sections: readonly Section[];
  readonly error: string | null;
}

export function Overview({ at }: { readonly at: string }) {
  const [known, setKnown] = useState<Known | null>(null);
  const empty = known?.at === at && known.sections.every(isOwn);
  const round = empty ? beat.value : Math.floor(beat.value / LOOK_AGAIN_BEATS);

  useEffect(() => {
    const control = new AbortController();
    void look(at, control.signal).then((next) => {
      if (!control.signal.aborted) setKnown((before) => (same(before, next) ? before : next));
    });
    return () => control.abort();
  }, [at, round, empty]);

  if (known === null || known.at !== at) return <Waiting />;
  if (known.error && known.sections.length === 0) return <p class="message error" role="alert">{known.error}</p>;
  if (known.sections.length === 0 && at !== "") return <p class="message">There is no series below <code>{at}</code>.</p>;
  // Nobody sent anything: what we count of ourselves is in the tree.
  if (empty && at === "") return <Empty />;
  return (
    <>
      {known.sections.map((section) => (
        <Part key={section.path} section={section} headed={section.path !== at} atFirst={known.sections.length > 1 ? GRAPHS_OF_SEVERAL : GRAPHS_AT_FIRST} />
      ))}
    </>
  );
}

interface PartProps {
  readonly section: Section;
  /** Whether its path is not yet told by the heading of the page. */
  readonly headed: boolean;
  readonly atFirst: number;
}

function Part({ section, headed, atFirst }: PartProps) {
  const [all, setAll] = useState(false);
  const { path, families, siblings } = section;
  const hidden = families.length - atFirst;
  return (
    <section class="part">
      <header class="part-head">
        {headed && <h2>{path ? <a href={addressOf({ at: path })}>{path}</a> : "series without a branch"}</h2>}
        {siblings.length > 1 && <Siblings path={path} siblings={siblings} />}
      </header>
      <div class="graphs">
        {(all ? families : families.slice(0, atFirst)).map((family) => (
          <Graph key={family.target} target={family.target} title={family.title} height={152} />
        ))}
      </div>
      {hidden > 0 && (
        <button type="button" class="quiet" onClick={() => setAll(!all)}>
          {all ? "show fewer graphs" : `show ${hidden} more graphs`}
        </button>
      )}
    </section>
  );
}

const SIBLINGS_SHOWN = 12;

function Siblings({ path, siblings }: { readonly path: string; readonly siblings: readonly string[] }) {
  const last = (one: string): string => one.split(".").at(-1) ?? one;
  return (
    <nav class="siblings" aria-label="Others of this kind">
      {siblings.slice(0, SIBLINGS_SHOWN).map((one) => (
        <a key={one} href={addressOf({ at: one })} aria-current={one === path ? "true" : undefined}>{last(one)}</a>
      ))}
      {siblings.length > SIBLINGS_SHOWN && <span>and {siblings.length - SIBLINGS_SHOWN} more in the tree</span>}
    </nav>
  );
}

function Waiting() {
  return (
    <section class="part" aria-label="loading">
      <div class="part-head"><div class="skeleton line" /></div>
      <div class="graphs">
        {[0, 1, 2, 3].map((one) => <div key={one} class="graph"><div class="skeleton block" /></div>)}
      </div>
    </section>
  );
}

async function look(at: string, signal: AbortSignal): Promise<Known> {
  let error: string | null = null;
  const sections = await discover(at, async (path, storedOnly): Promise<readonly Node[] | null> => {
    const found = await find(storedOnly ? storedBelow(path) : patternBelow(path), signal);
    if (found.ok) return toNodes(found.value, path);
    error = found.error;
    return null;
  });
  // A branch that is itself a series, or holds nothing else, is still worth its graphs.
  return { at, sections: sections.filter((section) => section.families.length > 0), error };
}

/** Whether nothing changed, so that nothing is drawn anew; a failed look keeps what was there. */
function same(before: Known | null, next: Known): boolean {
  if (before === null || before.at !== next.at) return false;
  if (next.error) return before.sections.length > 0;
  return before.error === next.error && JSON.stringify(before.sections) === JSON.stringify(next.sections);
}
