/** Asking for a graph's data: again at each beat, while the graph can be seen, and never two answers out of order. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

import { query, type Answer } from "../api";
import { isMoving } from "../state/range";
import { beat } from "../state/live";
import { range } from "../state/view";

export interface Asked {
  /** The latest answer, kept while the next is on its way. */
  readonly answer: Answer | null;
  /** Why there is none newer. */
  readonly error: string | null;
}

export function useAnswer(target: string, points: number, seen: boolean): Asked {
  const [asked, setAsked] = useState<Asked>({ answer: null, error: null });
  const { from, until } = range.value;
  const round = isMoving(range.value) ? beat.value : 0;
  const rated = useRef(false);

  useEffect(() => {
    rated.current = false;
  }, [target]);

  useEffect(() => {
    if (!seen) return undefined;
    const control = new AbortController();
    void ask(target, { from, until, points }, rated, control.signal).then((result) => {
      if (result.ok) setAsked({ answer: result.value, error: null });
      else if (!result.aborted) setAsked((before) => ({ answer: before.answer, error: result.error }));
    });
    return () => control.abort();
  }, [target, from, until, points, round, seen]);

  return asked;
}

/** A counter that only grows says nothing as a line: what is shown of it is its rate. */
async function ask(
  target: string,
  window: { readonly from: string; readonly until: string; readonly points: number },
  rated: { current: boolean },
  signal: AbortSignal,
): ReturnType<typeof query> {
  const rate = `perSecond(${target})`;
  const first = await query({ ...window, targets: [rated.current ? rate : target] }, signal);
  if (rated.current || !first.ok) return first;
  const { series } = first.value;
  if (series.length === 0 || target.includes("(") || series.some((one) => one.kind !== "cumulative")) return first;
  rated.current = true;
  return query({ ...window, targets: [rate] }, signal);
}

/** Whether the element is, or soon will be, in view. Without an observer everything is. */
export function useSeen(element: RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current) return undefined;
    const watch = new IntersectionObserver(([entry]) => setSeen(entry?.isIntersecting ?? true), {
      rootMargin: "200px",
    });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return seen;
}
