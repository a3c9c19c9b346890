/** What is looked at, as it stands in the address, so that a link shows the same to someone else. */

import { DEFAULT_RANGE, readRange, sameRange, type Range } from "./range";

export type Page = "overview" | "graphs" | "ledger" | "blocks" | "series";

/** Pages that have a path of their own. */
const PATHS: ReadonlySet<string> = new Set<Page>(["ledger", "blocks", "series"]);

export interface View {
  readonly page: Page;
  /** Branch of the tree that the overview, or the page of series, shows; empty for everything. */
  readonly at: string;
  /** One graph for each. */
  readonly targets: readonly string[];
  readonly range: Range;
}

/** More targets than this are no page that anybody reads, and no link that anybody shares. */
const TARGETS_MAX = 24;

export function readView(hash: string): View {
  const text = hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const parameters = new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1));
  const targets = parameters.getAll("target").filter((target) => target.trim() !== "").slice(0, TARGETS_MAX);
  const range = readRange(parameters.get("from"), parameters.get("until"));
  const at = parameters.get("at") ?? "";
  if (hasPath(path)) return { page: path, at: path === "series" ? at : "", targets: [], range };
  if (targets.length > 0) return { page: "graphs", at: "", targets, range };
  return { page: "overview", at, targets: [], range };
}

export function writeView(view: View): string {
  const parameters = new URLSearchParams();
  if (view.page === "graphs") view.targets.forEach((target) => parameters.append("target", target));
  if ((view.page === "overview" || view.page === "series") && view.at) parameters.set("at", view.at);
  if (!sameRange(view.range, DEFAULT_RANGE)) {
    parameters.set("from", view.range.from);
    parameters.set("until", view.range.until);
  }
  const query = parameters.toString();
  return `#/${hasPath(view.page) ? view.page : ""}${query ? `?${query}` : ""}`;
}

function hasPath(path: string): path is Page {
  return PATHS.has(path);
}
