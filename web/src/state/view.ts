/** The view in hand, and the ways to change it. Each change is a step of the browser's history. */

import { computed, signal } from "@preact/signals";

import { absolute, DEFAULT_RANGE, isMoving, sameRange, type Range } from "./range";
import { readView, writeView, type View } from "./url";

export const view = signal<View>(readView(location.hash));
export const range = computed<Range>(() => view.value.range, { name: "range" });

/** Ranges that were zoomed out of, the latest last. */
const zoomedFrom: Range[] = [];

addEventListener("popstate", () => {
  view.value = readView(location.hash);
});

function go(next: View): void {
  const address = writeView(next);
  if (address !== writeView(view.value)) history.pushState(null, "", address);
  view.value = next;
}

export function showOverview(at = ""): void {
  go({ page: "overview", at, targets: [], range: view.value.range });
  scrollTo(0, 0);
}

export function showTargets(targets: readonly string[]): void {
  if (targets.length === 0) showOverview();
  else go({ page: "graphs", at: "", targets, range: view.value.range });
}

export function addTarget(target: string): void {
  const { page, targets } = view.value;
  const present = page === "graphs" ? targets : [];
  showTargets([target, ...present.filter((one) => one !== target)]);
}

export function removeTarget(target: string): void {
  showTargets(view.value.targets.filter((one) => one !== target));
}

export function setRange(next: Range): void {
  zoomedFrom.length = 0;
  go({ ...view.value, range: next });
}

/** Show what was drawn by hand on one graph, on all of them. */
export function zoom(fromS: number, untilS: number): void {
  const next = absolute(fromS, untilS);
  if (sameRange(next, view.value.range)) return;
  zoomedFrom.push(view.value.range);
  go({ ...view.value, range: next });
}

/** Out again, to where the last zoom began. */
export function zoomBack(): void {
  const before = zoomedFrom.pop() ?? (isMoving(view.value.range) ? null : DEFAULT_RANGE);
  if (before) go({ ...view.value, range: before });
}

/** The address of a view, for links that can be opened in a new tab. */
export function addressOf(change: Partial<View>): string {
  return writeView({ page: "overview", at: "", targets: [], range: view.value.range, ...change });
}
