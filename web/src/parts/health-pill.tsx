/** How the server is, in one word, on every page. It leads to the ledger, where the details are. */

import { useEffect, useState } from "preact/hooks";

import { health, type Health, type Result } from "../api";
import { beat } from "../state/live";
import { addressOf } from "../state/view";
import { say } from "./health-words";

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

export function HealthPill() {
  const { tone, text, detail } = say(useHealth());
  return (
    <a class={`pill ${tone}`} href={addressOf({ page: "ledger" })} title={detail} aria-label={`Health: ${text}`}>
      <span class="dot" />
      <span class="pill-text">{text}</span>
    </a>
  );
}
