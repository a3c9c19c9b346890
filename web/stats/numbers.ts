/** What the application answers, and what the graphs make of it. */

export type Value = number | null;

export const RANGES = { day: "24 hours", week: "Week", month: "Month", year: "Year" } as const;
export type Range = keyof typeof RANGES;

const COLUMNS = ["requests", "404", "500", "errors", "lower", "mean", "p95", "upper"] as const;
type Column = (typeof COLUMNS)[number];

export interface Numbers {
  readonly app: string;
  readonly environment: string;
  readonly range: Range;
  /** Epoch seconds of the first slot. */
  readonly start: number;
  /** Seconds between slots. */
  readonly step: number;
  /** Requests and errors of each slot, and how long requests took in it, in seconds. */
  readonly columns: Readonly<Record<Column, readonly Value[]>>;
}

export interface Line {
  readonly label: string;
  readonly values: readonly Value[];
  /** What the legend shows while nobody points anywhere. */
  readonly summary: number | null;
}

export interface Drawing {
  readonly title: string;
  readonly unit: "/min" | "s" | "";
  /** What the whole range comes to, in a sentence. */
  readonly told: string;
  readonly lines: readonly Line[];
}

export function times(numbers: Numbers): number[] {
  const slots = Math.max(...COLUMNS.map((name) => numbers.columns[name].length));
  return Array.from({ length: slots }, (_, i) => numbers.start + i * numbers.step);
}

export function isEmpty(numbers: Numbers): boolean {
  return !numbers.columns.requests.some((value) => value !== null);
}

/** The three graphs: how much was asked, how long that took, and what went wrong. */
export function drawings(numbers: Numbers, nowS: number): readonly Drawing[] {
  const { columns, step } = numbers;
  const whole = (values: readonly Value[]): readonly Value[] => settled(values, numbers, nowS);
  const requests = sum(columns.requests);
  const perMinute = columns.requests.map((value) => (value === null ? null : (value * 60) / step));
  const mean = weighted(columns.mean, columns.requests);
  // A percentile is of a histogram, whose last bucket may reach beyond the largest value.
  const p95 = columns.p95.map((value, i) => (value === null ? null : Math.min(value, columns.upper[i] ?? value)));
  const [missing, broken, errors] = [sum(columns["404"]), sum(columns["500"]), sum(columns.errors)];
  return [
    {
      title: "Traffic",
      unit: "/min",
      told: `${count(requests, "request")}`,
      lines: [{ label: "requests per minute", values: whole(perMinute), summary: latest(whole(perMinute)) }],
    },
    {
      title: "Response times",
      unit: "s",
      told: mean === null ? "" : `${seconds(mean)} on average, ${seconds(most(columns.upper))} at most`,
      lines: [
        { label: "lower", values: columns.lower, summary: latest(columns.lower) },
        { label: "mean", values: columns.mean, summary: latest(columns.mean) },
        { label: "95 %", values: p95, summary: latest(p95) },
        { label: "upper", values: columns.upper, summary: latest(columns.upper) },
      ],
    },
    {
      title: "Errors",
      unit: "",
      told: errors === 0 && missing === 0 ? "none" : `${count(errors, "error")}${share(errors, requests)}, ${count(missing, "missing page")}`,
      lines: [
        { label: "404", values: whole(filled(columns["404"], columns.requests)), summary: missing },
        { label: "500", values: whole(filled(columns["500"], columns.requests)), summary: broken },
        { label: "all errors", values: whole(filled(columns.errors, columns.requests)), summary: errors },
      ],
    },
  ];
}

/** A counter says nothing where it counted nothing; while there were requests that means zero. */
function filled(values: readonly Value[], requests: readonly Value[]): readonly Value[] {
  return requests.map((asked, i) => values[i] ?? (asked === null ? null : 0));
}

/** Without the slot that is not over, whose part of a sum would end each line in a dive; unless it is all there is. */
function settled(values: readonly Value[], { start, step }: Numbers, nowS: number): readonly Value[] {
  const open = start + values.length * step > nowS;
  const before = values.slice(0, -1);
  return open && before.some((value) => value !== null) ? [...before, null] : values;
}

function sum(values: readonly Value[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function most(values: readonly Value[]): number {
  return values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0);
}

function latest(values: readonly Value[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** The mean of means, each by how many requests it is of. */
function weighted(means: readonly Value[], weights: readonly Value[]): number | null {
  let total = 0;
  let weight = 0;
  means.forEach((mean, i) => {
    if (mean === null) return;
    total += mean * (weights[i] ?? 0);
    weight += weights[i] ?? 0;
  });
  return weight > 0 ? total / weight : null;
}

export function seconds(value: number): string {
  const [number, unit] = value >= 1 ? [value, "s"] : value >= 0.001 || value === 0 ? [value * 1000, "ms"] : [value * 1e6, "µs"];
  return `${Number(number.toPrecision(3))}\u202f${unit}`;
}

function count(value: number, what: string): string {
  return `${Math.round(value).toLocaleString("en-US")} ${what}${Math.round(value) === 1 ? "" : "s"}`;
}

function share(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "";
  const percent = (100 * part) / whole;
  return ` (${percent < 0.01 ? "below 0.01" : Number(percent.toPrecision(2))}\u202f%)`;
}

/** Numbers of an answer, or null if it is none: what a proxy or a login page says is not drawn. */
export function readNumbers(body: unknown): Numbers | null {
  if (typeof body !== "object" || body === null || !("columns" in body)) return null;
  const numbers = body as Numbers;
  const whole = COLUMNS.every((name) => Array.isArray(numbers.columns[name]));
  return whole && typeof numbers.start === "number" && numbers.step > 0 ? numbers : null;
}
