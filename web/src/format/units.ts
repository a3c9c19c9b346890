/** Numbers with their units, short enough for a legend and always to three figures. */

export type Unit = "" | "B" | "B/s" | "bit" | "bit/s" | "%" | "s" | "ms" | "/s";

const LARGE = ["", "k", "M", "G", "T", "P", "E"] as const;
/** Bytes go by powers of 1024, and so do the ticks of their axis. */
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;
const SMALL = ["", "m", "µ", "n", "p"] as const;
/** Beyond what has a prefix. */
const LARGEST = 999.5e18;
const SMALLEST = 1e-12;
/** As many figures as say what is read off a graph. */
const FIGURES = 3;
/** A double has no more. */
const FIGURES_MAX = 15;
const SCALES_WITH_PREFIX: ReadonlySet<Unit> = new Set<Unit>(["", "B", "B/s", "bit", "bit/s", "/s"]);

export const BINARY_STEPS: number[] = Array.from({ length: 70 }, (_, power) => 2 ** (power - 4));

export function isBinary(unit: Unit): boolean {
  return unit === "B" || unit === "B/s";
}

const SUFFIXES: readonly (readonly [RegExp, Unit])[] = [
  [/(^|_)(bytes|octets)$/, "B"],
  [/(^|_)bits$/, "bit"],
  [/(^|_)(percent|pct)$/, "%"],
  [/(^|_)(ms|milliseconds|msec)$/, "ms"],
  [/_s$|(^|_)seconds$/, "s"],
];

/** Names of the built-in host collectors, which count per second and leave bytes and percent unsaid. */
const HOST = /(?:^|[^.\w-])(?:[^.,()\s]+\.)?hosts\.[^.]+\.(?:[^.]+\.)?(cpu|load|memory|swap|disk|filesystem|network|vmstat|udp)\.[^,)\s]*/;

/** What is neither a rate nor has a unit. */
const LEVELS: ReadonlySet<string> = new Set(["cores", "in_flight", "read_only"]);

function hostUnit(family: string, last: string, said: Unit): Unit {
  if (said === "%" || said === "ms" || family === "load") return said;
  if (LEVELS.has(last)) return "";
  if (family === "cpu") return "%";
  if (family === "memory" || family === "filesystem") return "B";
  if (family === "swap" && said === "") return "B";
  return said === "B" ? "B/s" : "/s";
}

/** The unit that a name says: units stand last in names, `read_bytes`, `used_percent`, `answer_s`. */
export function unitOf(expression: string): Unit {
  // What stands between braces are alternatives; their commas part no arguments.
  const name = expression.replace(/\{[^}]*\}(?=.*\.)/g, "*");
  const path = /[^(),\s'"]+\.[^(),\s'"]+/.exec(name)?.[0] ?? name.replace(/[()]/g, "");
  const last = (path.split(";")[0] ?? "").split(".").at(-1) ?? "";
  const bare = last.replace(/_per_s(econd)?$/, "").replace(/_total$/, "");
  const said = SUFFIXES.find(([suffix]) => suffix.test(bare))?.[1] ?? "";
  const family = HOST.exec(name)?.[1];
  const base = family ? hostUnit(family, last, said) : said;
  const rate = /^perSecond\(/.test(name) || /_per_s(econd)?$/.test(last);
  return rate ? perSecond(base) : base;
}

function perSecond(unit: Unit): Unit {
  if (unit === "B") return "B/s";
  if (unit === "bit") return "bit/s";
  return unit === "" ? "/s" : unit;
}

/** A number below 1000 to so many figures, without zeros at its end. */
function figures(value: number, count: number): string {
  const size = Math.abs(value);
  const whole = size >= 100 ? 3 : size >= 10 ? 2 : 1;
  const text = value.toFixed(value === 0 ? 0 : Math.max(0, count - whole));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function join(number: string, prefix: string, unit: Unit): string {
  const mark = prefix + unit;
  return mark ? `${number}\u202f${mark}` : number;
}

/** `1.23 MB/s`, `12.5 %`, `340 ms`; a dash where there is no value. */
export function formatValue(value: number | null | undefined, unit: Unit, count: number = FIGURES): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= LARGEST || (size < SMALLEST && size > 0)) return join(power(value, count), "", unit);
  if (unit === "s" && size < 1 && size > 0) return formatSmall(value, unit, count);
  if (unit === "ms" && size >= 1000) return join(figures(value / 1000, count), "", "s");
  if (!SCALES_WITH_PREFIX.has(unit)) return size > 0 && size < 0.005 ? "≈" + join("0", "", unit) : join(figures(value, count), "", unit);
  if (size < 1 && size > 0) return size >= 0.01 ? join(figures(value, count), "", unit) : formatSmall(value, unit, count);
  const [base, prefixes] = isBinary(unit) ? ([1024, BINARY] as const) : ([1000, LARGE] as const);
  let place = size >= 1 ? Math.min(Math.floor(Math.log(size) / Math.log(base) + 1e-12), prefixes.length - 1) : 0;
  // 999.6 would read as 1000: it belongs to the next prefix.
  if (size / base ** place >= 999.5 && place < prefixes.length - 1) place += 1;
  return join(figures(value / base ** place, count), prefixes[place] ?? "", unit);
}

function formatSmall(value: number, unit: Unit, count: number): string {
  const place = Math.min(Math.ceil(-Math.log10(Math.abs(value)) / 3), SMALL.length - 1);
  return join(figures(value * 1000 ** place, count), SMALL[place] ?? "", unit);
}

/** `6.62e23`. */
function power(value: number, count: number): string {
  const [digits = "", exponent = ""] = value.toExponential(count - 1).split("e");
  return `${figures(Number(digits), count)}e${exponent.replace("+", "")}`;
}

/** The texts of an axis' ticks, with as many figures as it takes to tell them apart; nothing needs no unit. */
export function formatTicks(ticks: readonly number[], unit: Unit): string[] {
  for (let count = FIGURES; ; count += 1) {
    const texts = ticks.map((tick) => (tick === 0 ? "0" : formatValue(tick, unit, count)));
    if (count >= FIGURES_MAX || new Set(texts).size === new Set(ticks).size) return texts;
  }
}

/** `12,345`, for counts that must be read exactly. */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}
