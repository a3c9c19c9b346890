/** Numbers with their units, short enough for a legend and always to three figures. */

export type Unit = "" | "B" | "B/s" | "bit" | "bit/s" | "%" | "s" | "ms" | "/s";

const LARGE = ["", "k", "M", "G", "T", "P", "E"] as const;
/** Bytes go by powers of 1024, and so do the ticks of their axis. */
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;
const SMALL = ["", "m", "µ", "n"] as const;
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

function figures(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return value.toFixed(0);
  const text = size >= 10 ? value.toFixed(1) : value.toFixed(2);
  return text.replace(/\.?0+$/, "");
}

function join(number: string, prefix: string, unit: Unit): string {
  const mark = prefix + unit;
  return mark ? `${number}\u202f${mark}` : number;
}

/** `1.23 MB/s`, `12.5 %`, `340 ms`; a dash where there is no value. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (unit === "s" && size < 1 && size > 0) return formatSmall(value, unit);
  if (unit === "ms" && size >= 1000) return join(figures(value / 1000), "", "s");
  if (!SCALES_WITH_PREFIX.has(unit)) return size > 0 && size < 0.005 ? "≈" + join("0", "", unit) : join(figures(value), "", unit);
  if (size < 1 && size > 0) return size >= 0.01 ? join(figures(value), "", unit) : formatSmall(value, unit);
  const [base, prefixes] = isBinary(unit) ? ([1024, BINARY] as const) : ([1000, LARGE] as const);
  let power = size >= 1 ? Math.min(Math.floor(Math.log(size) / Math.log(base) + 1e-12), prefixes.length - 1) : 0;
  // 999.6 would read as 1000: it belongs to the next prefix.
  if (size / base ** power >= 999.5 && power < prefixes.length - 1) power += 1;
  return join(figures(value / base ** power), prefixes[power] ?? "", unit);
}

function formatSmall(value: number, unit: Unit): string {
  const power = Math.min(Math.ceil(-Math.log10(Math.abs(value)) / 3), SMALL.length - 1);
  return join(figures(value * 1000 ** power), SMALL[power] ?? "", unit);
}

/** `12,345`, for counts that must be read exactly. */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}
