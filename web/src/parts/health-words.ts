/** The server's health in a word, a tone, and the details for whoever points at it. */

import type { Health, Result } from "../api";
import { formatCount, formatValue } from "../format/units";

/** The promise is at most a second; what is not on disk for longer than two is worth a colour. */
const UNSAFE_S_MAX = 2;

export interface Said {
  readonly tone: "good" | "late" | "bad" | "unknown";
  readonly text: string;
  readonly detail: string;
}

export function say(result: Result<Health> | null): Said {
  if (result === null) return { tone: "unknown", text: "…", detail: "asking the server" };
  if (!result.ok) return { tone: "bad", text: "no answer", detail: result.error };
  const { status, unsafe_samples: unsafe, unsafe_s, problems, notices, series, version } = result.value;
  const own = `Tallystick ${version}, ${formatCount(series)} series, ${formatCount(unsafe)} samples not yet on disk`;
  const detail = [...notices, own].join("\n");
  if (status !== "ok") return { tone: "bad", text: "degraded", detail: [...problems, detail].join("\n") };
  if (unsafe_s > UNSAFE_S_MAX) {
    return { tone: "late", text: `${formatValue(unsafe, "")} not yet on disk`, detail };
  }
  return { tone: "good", text: "ok", detail };
}
