/** How many series there are, of what, how new, and whether anybody reads them. */

import { get, type Result } from "../api";

export interface Group {
  readonly name: string;
  readonly series: number;
  /** How many of them came in the last hour, and day. */
  readonly hour: number;
  readonly day: number;
  readonly unread: number;
  /** How many different ones lie below, or values a tag has. */
  readonly values: number;
}

export interface Cardinality {
  readonly at_s: number;
  readonly under: string;
  /** Epoch seconds: what was not read since counts as unread. */
  readonly unread_s: number;
  readonly noted_since_s: number;
  readonly total: Group;
  readonly prefixes: readonly Group[];
  readonly tags: readonly Group[];
  readonly sources: readonly Group[];
  readonly unread: readonly string[];
}

export function cardinality(under: string, signal?: AbortSignal): Promise<Result<Cardinality>> {
  return get("/api/cardinality", [["under", under], ["limit", "60"]], signal);
}
