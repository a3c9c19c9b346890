/** How the server is, in one word, on every page. It leads to the ledger, where the details are. */

import { useEffect, useState } from "preact/hooks";

import { health, type Health, type Result } from "../api";
import { formatValue } from "../format/units";
import { beat } from "../state/live";
import { addressOf } from "../state/view";

/** The promise is at most a second; what is not on disk for longer than two is worth a colour. */
const UNSAFE_S_MAX = 2;

export function useHealth(): Result<Health> | null {
  const [result, setResult] = useState<Result<Health> | null>(null);
  useEffect(() => {
    const control = new AbortController();
    void health(control.signal).then((next) => {
      if (next.ok || !next.aborted) setResult(next);
    });
    return () => control.abort();
  }, [beat.value]);
  return result;
}

interface Said {
  readonly tone: "good" | "late" | "bad" | "unknown";
  readonly text: string;
  readonly detail: string;
}

export function say(result: Result<Health> | null): Said {
  if (result === null) return { tone: "unknown", text: "…", detail: "asking the server" };
  if (!result.ok) return { tone: "bad", text: "no answer", detail: result.error };
  const { status, unsafe_samples: unsafe, unsafe_s, problems, series, version } = result.value;
  const detail = `Tallystick ${version}, ${series} series, ${unsafe} samples not yet on disk`;
  if (status !== "ok") return { tone: "bad", text: "degraded", detail: [...problems, detail].join("\n") };
  if (unsafe_s > UNSAFE_S_MAX) {
    return { tone: "late", text: `${formatValue(unsafe, "")} not yet on disk`, detail };
  }
  return { tone: "good", text: "ok", detail };
}

export function HealthPill() {
  const { tone, text, detail } = say(useHealth());
  return (
    <a class={`pill ${tone}`} href={addressOf({ page: "ledger" })} title={detail} aria-label={`Health: ${text}`}>
      <span class="dot" />
      <span class="pill-text">{text}</span>
    </a>
  );
}
