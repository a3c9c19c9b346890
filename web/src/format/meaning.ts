/** What senders and people say of series: their unit as it is spelt by many, made one that can be drawn. */

import type { Meta, Series } from "../api";
import { formatLength } from "./time";
import { unitOf, type Unit } from "./units";

export interface Meaning {
  readonly unit: Unit;
  /** By which values are to be multiplied to be of that unit. */
  readonly factor: number;
  /** What is counted, where no short unit says it: `orders`. */
  readonly word: string;
}

const KNOWN: Readonly<Record<string, readonly [Unit, number]>> = {
  "1": ["", 1],
  b: ["B", 1], by: ["B", 1], byte: ["B", 1], bytes: ["B", 1], octets: ["B", 1],
  kb: ["B", 1e3], kilobytes: ["B", 1e3], mb: ["B", 1e6], megabytes: ["B", 1e6], gb: ["B", 1e9],
  kib: ["B", 1024], kiby: ["B", 1024], mib: ["B", 1024 ** 2], miby: ["B", 1024 ** 2], gib: ["B", 1024 ** 3], giby: ["B", 1024 ** 3],
  bit: ["bit", 1], bits: ["bit", 1],
  "%": ["%", 1], percent: ["%", 1], pct: ["%", 1], ratio: ["%", 100],
  s: ["s", 1], sec: ["s", 1], second: ["s", 1], seconds: ["s", 1],
  ms: ["ms", 1], millisecond: ["ms", 1], milliseconds: ["ms", 1],
  us: ["s", 1e-6], µs: ["s", 1e-6], microseconds: ["s", 1e-6], ns: ["s", 1e-9], nanoseconds: ["s", 1e-9],
  min: ["s", 60], minutes: ["s", 60], h: ["s", 3600], hours: ["s", 3600], d: ["s", 86400], days: ["s", 86400],
};
const RATES: Readonly<Partial<Record<Unit, Unit>>> = { "": "/s", B: "B/s", bit: "bit/s" };
const SIGNS: Readonly<Record<string, string>> = { celsius: "°C", cel: "°C", fahrenheit: "°F", volts: "V", amperes: "A", watts: "W", joules: "J" };

/** A unit as somebody spelt it: OpenTelemetry's `By` and `{request}`, Prometheus' `seconds`, and plain words. */
export function readUnit(text: string): Meaning {
  const bare = text.trim().replace(/^\{(.*)\}/, "$1");
  const rate = /^(.*?)\s*(?:\/|per[ _])\s*(?:s|sec|seconds?)$/i.exec(bare);
  const base = (rate?.[1] ?? bare).replace(/^\{(.*)\}$/, "$1");
  const [unit, factor] = KNOWN[base.toLowerCase()] ?? [undefined, 1];
  if (unit === undefined) {
    const word = SIGNS[base.toLowerCase()] ?? base;
    return { unit: "", factor: 1, word: rate && word ? `${word}/s` : word };
  }
  if (!rate) return { unit, factor, word: "" };
  const per = RATES[unit];
  return per === undefined ? { unit, factor, word: bare } : { unit: per, factor, word: "" };
}

/** What the values of a series mean: what was said of it, else what its name says. */
export function meaningOf(one: Series): Meaning {
  const said = one.meta?.unit;
  if (said) return readUnit(said);
  const unit = unitOf(one.name);
  // StatsD's timings are milliseconds, whatever they are called.
  return { unit: unit === "" && one.kind === "timing" ? "ms" : unit, factor: 1, word: "" };
}

export const NO_MEANING: Meaning = { unit: "", factor: 1, word: "" };

/** What several series have in common, so that one axis is right for all; their own factors aside. */
export function commonMeaning(series: readonly Series[]): Meaning | null {
  const [first, ...others] = series.map(meaningOf);
  if (first === undefined) return null;
  return others.every((one) => one.unit === first.unit && one.word === first.word) ? first : null;
}

/** The series with values of the unit that their common meaning has, if there is one. */
export function inUnits(series: readonly Series[]): readonly Series[] {
  if (commonMeaning(series) === null) return series;
  return series.map((one) => scaled(one, meaningOf(one).factor));
}

function scaled(one: Series, factor: number): Series {
  if (factor === 1) return one;
  const times = (values: Series["values"]): Series["values"] => values.map((value) => value === null ? null : value * factor);
  return {
    ...one,
    values: times(one.values),
    ...(one.min && { min: times(one.min) }),
    ...(one.max && { max: times(one.max) }),
  };
}

/** What the axis counts: where all are counters, in how much time. */
export function countedPer(series: readonly Series[], word: string): string {
  const [first] = series;
  if (first === undefined || series.some((one) => one.kind !== "counter" || one.step !== first.step)) return word;
  return `${word} per ${formatLength(first.step)}`.trim();
}

export interface About {
  readonly descriptions: readonly string[];
  readonly owners: readonly string[];
  readonly alerts: readonly string[];
}

/** What is told of the series of a graph, each sentence once. */
export function aboutOf(series: readonly Series[]): About {
  const every = (field: keyof Pick<Meta, "description" | "owner" | "alert">): readonly string[] =>
    [...new Set(series.map((one) => one.meta?.[field] ?? "").filter((text) => text !== ""))];
  return { descriptions: every("description"), owners: every("owner"), alerts: every("alert") };
}

/** What is known of one series, a line for each thing. */
export function detailsOf(one: Series): readonly string[] {
  const { unit, owner, description, alert } = one.meta ?? {};
  const told: readonly (readonly [string, string | undefined])[] =
    [["", description], ["unit: ", unit], ["owner: ", owner], ["alert: ", alert]];
  return told.flatMap(([label, text]) => (text ? [`${label}${text}`] : []));
}
