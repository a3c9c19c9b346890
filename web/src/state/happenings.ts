/** What happened meanwhile, deploys above all: asked for once for all graphs of a page. */

import { effect, signal } from "@preact/signals";

import { events, type Happening } from "../api";
import { beat } from "./live";
import { isMoving } from "./range";
import { range, view } from "./view";

export const happenings = signal<readonly Happening[]>([]);

effect(() => {
  const { page } = view.value;
  if (page !== "overview" && page !== "graphs") return undefined;
  if (isMoving(range.value)) void beat.value;
  const control = new AbortController();
  void events(range.value.from, range.value.until, control.signal).then((found) => {
    // The same list is no news: nothing is drawn anew.
    if (found.ok && JSON.stringify(found.value) !== JSON.stringify(happenings.peek())) happenings.value = found.value;
  });
  return () => control.abort();
});
