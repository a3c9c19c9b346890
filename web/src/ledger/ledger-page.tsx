/** The ledger: what came, what was kept, and what was not and why. Everything a sender wrote is shown as text only. */

import { useEffect, useState } from "preact/hooks";

import { ledger, type Ledger, type Result } from "../api";
import { useHealth } from "../parts/health-pill";
import { beat } from "../state/live";
import { Prefixes, Sources } from "./accounts";
import { Offenders, type Filter } from "./offenders";

export function LedgerPage() {
  const [result, setResult] = useState<Result<Ledger> | null>(null);
  const [filter, setFilter] = useState<Filter>({ name: "", reason: "" });
  useEffect(() => {
    const control = new AbortController();
    void ledger(control.signal, filter.name, filter.reason).then((next) => {
      if (next.ok || !next.aborted) setResult(next);
    });
    return () => control.abort();
  }, [beat.value, filter]);

  return (
    <section class="ledger">
      <h1>Ledger</h1>
      <p class="lead">Every sample that was received is stored, rejected for a reason, or still on its way.</p>
      <Problems />
      {result === null && <div class="skeleton block" aria-label="loading" />}
      {result?.ok === false && <p class="message error" role="alert">{result.error}</p>}
      {result?.ok && (
        <>
          <Sources ledger={result.value} nowS={Date.now() / 1000} />
          <Offenders offenders={result.value.offenders} reasons={reasonsIn(result.value)} filter={filter} onFilter={setFilter} />
          <Prefixes ledger={result.value} />
        </>
      )}
    </section>
  );
}

function reasonsIn(found: Ledger): readonly string[] {
  return [...new Set(found.sources.flatMap((one) => Object.keys(one.rejected)))].sort();
}

function Problems() {
  const health = useHealth();
  const problems = health?.ok ? health.value.problems : [];
  if (problems.length === 0) return null;
  return <ul class="problems" role="alert">{problems.map((one) => <li key={one}>{one}</li>)}</ul>;
}
