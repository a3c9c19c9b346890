/** How complete what a graph shows is: a word beside its title, and what was lost for whoever points at it. */

import { useEffect, useState } from "preact/hooks";

import { completeness, type Completeness } from "../api";
import { isMoving } from "../state/range";
import { beat } from "../state/live";
import { addressOf, range } from "../state/view";
import { sayComplete } from "./complete-words";

export function Complete({ target, seen }: { readonly target: string; readonly seen: boolean }) {
  const [found, setFound] = useState<Completeness | null>(null);
  const { from, until } = range.value;
  const round = isMoving(range.value) ? beat.value : 0;
  useEffect(() => {
    if (!seen) return undefined;
    const control = new AbortController();
    void completeness(target, from, until, control.signal).then((result) => {
      if (result.ok) setFound(result.value);
      else if (!result.aborted) setFound(null);
    });
    return () => control.abort();
  }, [target, from, until, round, seen]);
  const said = found && sayComplete(found);
  if (!said) return null;
  return <a class={`complete ${said.tone}`} href={addressOf({ page: "ledger" })} title={said.detail}>{said.text}</a>;
}
