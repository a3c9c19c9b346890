/** The one place that talks to the server. Failures are values that carry the server's own sentence. */

export type Kind = "gauge" | "counter" | "timing" | "set" | "cumulative";
export type Value = number | null;

/** A stretch of the range, and the finest slots that there are in all of it. */
export interface Part {
  /** Epoch seconds. */
  readonly start: number;
  readonly until: number;
  /** Seconds between slots. */
  readonly step: number;
  /** Epoch seconds at which the first of them is forgotten. */
  readonly expires: number;
}

export interface Series {
  readonly name: string;
  readonly target: string;
  readonly kind: Kind | null;
  /** Epoch seconds of the first slot. */
  readonly start: number;
  /** Seconds between slots. */
  readonly step: number;
  readonly values: readonly Value[];
  readonly min?: readonly Value[];
  readonly max?: readonly Value[];
  readonly meta?: Meta;
}

/** What is known of a series beside its numbers, as far as anybody said. */
export interface Meta {
  readonly unit?: string;
  readonly owner?: string;
  readonly description?: string;
  readonly alert?: string;
  /** Where the values come from, oldest part first; only of what is no function of series. */
  readonly parts?: readonly Part[];
}

export interface Answer {
  readonly from: number;
  readonly until: number;
  readonly series: readonly Series[];
}

export interface Found {
  readonly text: string;
  readonly leaf: number | boolean;
  readonly expandable: number | boolean;
  /** Of a series, as far as anybody said. */
  readonly meta?: Meta;
}

export interface Health {
  readonly status: "ok" | "degraded";
  readonly version: string;
  readonly series: number;
  readonly unsafe_samples: number;
  readonly unsafe_s: number;
  readonly problems: readonly string[];
  /** Of other hosts, such as polled targets; they do not change the status. */
  readonly notices: readonly string[];
}

/** What came and what became of it, in samples. */
export interface Balance {
  readonly received: number;
  readonly stored: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** Stored, of slots that were over. */
  readonly late?: number;
  /** Read, and not yet decided on. */
  /** Samples that rules made of others: further names, aggregates. */
  readonly made?: number;
  readonly in_flight?: number;
  /** Datagrams that the kernel dropped before they could be read. */
  readonly kernel_drops?: number;
  /** Connections and HTTP bodies that were turned away. */
  readonly queue_drops?: number;
  /** What senders that number their batches made and we never saw. */
  readonly lost_on_the_way?: number;
}

export interface Peer extends Balance {
  /** Its host; none for what is of no peer. */
  readonly peer?: string;
}

export interface Source extends Balance {
  readonly source: string;
  readonly peers?: readonly Peer[];
}

export interface Prefix extends Balance {
  /** None for what had no name that could be read. */
  readonly prefix?: string;
}

/** Ten seconds. */
export interface Window {
  /** Epoch seconds. */
  readonly start: number;
  readonly sources: readonly Source[];
}

export interface Offender {
  readonly source: string;
  readonly peer?: string;
  readonly reason: string;
  readonly text: string;
  /** Epoch seconds. */
  readonly at: number;
}

export interface Ledger {
  readonly sources: readonly Source[];
  readonly prefixes: readonly Prefix[];
  readonly windows: readonly Window[];
  readonly offenders: readonly Offender[];
}

export interface Completeness {
  /** 0 to 1; null where nothing is known. */
  readonly complete: number | null;
  readonly stored: number;
  readonly lost: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly prefixes: readonly string[];
}

/** An event: something that happened, such as a deploy. */
export interface Happening {
  /** Epoch seconds. */
  readonly when: number;
  readonly what: string;
  readonly tags: readonly string[];
}

export interface Failure {
  readonly ok: false;
  /** A sentence to show. */
  readonly error: string;
  /** Nobody waits for it any more: show nothing. */
  readonly aborted: boolean;
}

export type Result<T> = { readonly ok: true; readonly value: T } | Failure;

type Parameters = readonly (readonly [string, string])[];

export function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<Result<T>> {
  const query = new URLSearchParams(parameters.map(([key, value]) => [key, value]));
  return answerOf(path, parameters.length ? `${path}?${query}` : path, { signal: signal ?? null });
}

/** Have the server do something. */
export function ask<T>(method: "POST" | "DELETE", path: string, body: object): Promise<Result<T>> {
  return answerOf(path, path, { method, body: JSON.stringify(body) });
}

async function answerOf<T>(path: string, address: string, request: RequestInit): Promise<Result<T>> {
  try {
    const response = await fetch(address, { ...request, headers: { accept: "application/json" } });
    const body = bodyOf(await response.text());
    // A degraded server answers /healthz with 503 and a full body; elsewhere an error has one sentence.
    if ((response.ok && body !== null) || (body !== null && sentenceOf(body) === null && path === "/healthz")) {
      return { ok: true, value: body as T };
    }
    return failure(sentenceOf(body) ?? `The server answered ${path} with status ${response.status}.`);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") {
      return { ok: false, error: "", aborted: true };
    }
    return failure("The server does not answer; trying again.");
  }
}

/** What a proxy or a login page says is no JSON. */
function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function failure(error: string): Failure {
  return { ok: false, error, aborted: false };
}

function sentenceOf(body: unknown): string | null {
  if (typeof body === "object" && body !== null && "error" in body && typeof body.error === "string") {
    return body.error;
  }
  return null;
}

/** One level of the tree of names, with what is known of its series. */
export function find(pattern: string, signal?: AbortSignal): Promise<Result<readonly Found[]>> {
  return get("/metrics/find", [["query", pattern], ["format", "treejson"], ["meta", "1"]], signal);
}

/** Names that hold every word of `text`, shortest first. */
export function search(text: string, signal?: AbortSignal): Promise<Result<{ readonly names: readonly string[] }>> {
  return get("/api/search", [["q", text], ["limit", "50"]], signal);
}

export interface Question {
  readonly targets: readonly string[];
  readonly from: string;
  readonly until: string;
  readonly points: number;
}

/** Slots of everything that the targets match. */
export function query(question: Question, signal?: AbortSignal): Promise<Result<Answer>> {
  const { targets, from, until, points } = question;
  const parameters = targets.map((target) => ["target", target] as const);
  return get("/api/query", [...parameters, ["from", from], ["until", until], ["points", String(points)], ["meta", "1"]], signal);
}

/** More lines than this hide what they are drawn over. */
const EVENTS_MAX = 60;

/** The latest events of a range, by time. */
export function events(from: string, until: string, signal?: AbortSignal): Promise<Result<readonly Happening[]>> {
  return get("/events/get_data", [["from", from], ["until", until], ["limit", String(EVENTS_MAX)]], signal);
}

export function health(signal?: AbortSignal): Promise<Result<Health>> {
  return get("/healthz", [], signal);
}

/** What became of everything; of the rejected inputs those that hold `name`, for `reason`. */
export function ledger(signal?: AbortSignal, name = "", reason = ""): Promise<Result<Ledger>> {
  return get("/ledger", [["windows", "60"], ["limit", "100"], ["name", name], ["reason", reason]], signal);
}

/** How complete what a target reads is. */
export function completeness(target: string, from: string, until: string, signal?: AbortSignal): Promise<Result<Completeness>> {
  return get("/ledger/completeness", [["target", target], ["from", from], ["until", until]], signal);
}
