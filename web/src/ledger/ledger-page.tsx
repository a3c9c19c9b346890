/** The ledger: what came, what was kept, and what was not and why. Everything a sender wrote is shown as text only. */

import { useEffect, useState } from "preact/hooks";

import { ledger, type Ledger, type Offender, type Result, type Source } from "../api";
import { formatMoment } from "../format/time";
import { formatCount } from "../format/units";
import { useHealth } from "../parts/health-pill";
import { beat } from "../state/live";
import { rejectedOf, verdictOf } from "./balance";

export function LedgerPage() {
  const [result, setResult] = useState<Result<Ledger> | null>(null);
  useEffect(() => {
    const control = new AbortController();
    void ledger(control.signal).then((next) => {
      if (next.ok || !next.aborted) setResult(next);
    });
    return () => control.abort();
  }, [beat.value]);

  return (
    <section class="ledger">
      <h2>Ledger</h2>
      <p class="lead">Every sample that was received is stored, rejected for a reason, or still on its way.</p>
      <Problems />
      {result === null && <div class="skeleton block" aria-label="loading" />}
      {result?.ok === false && <p class="message error" role="alert">{result.error}</p>}
      {result?.ok && <Sources sources={result.value.sources} />}
      {result?.ok && <Offenders offenders={result.value.offenders} />}
    </section>
  );
}

function Problems() {
  const health = useHealth();
  const problems = health?.ok ? health.value.problems : [];
  if (problems.length === 0) return null;
  return <ul class="problems" role="alert">{problems.map((one) => <li key={one}>{one}</li>)}</ul>;
}

function Sources({ sources }: { readonly sources: readonly Source[] }) {
  if (sources.length === 0) return <p class="message">Nothing has been received yet.</p>;
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr><th>Source</th><th class="number">Received</th><th class="number">Stored</th><th class="number">Rejected</th><th>Adds up</th></tr>
        </thead>
        <tbody>
          {sources.map((one) => {
            const verdict = verdictOf(one);
            return (
              <tr key={one.source}>
                <th scope="row">{one.source}</th>
                <td class="number" data-label="received">{formatCount(one.received)}</td>
                <td class="number" data-label="stored">{formatCount(one.stored)}</td>
                <td class="number" data-label="rejected"><div>{formatCount(rejectedOf(one))}<Reasons rejected={one.rejected} /></div></td>
                <td class={verdict.tone} data-label="adds up">{verdict.text}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Reasons({ rejected }: { readonly rejected: Readonly<Record<string, number>> }) {
  const reasons = Object.entries(rejected).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  return (
    <ul class="reasons">
      {reasons.map(([reason, count]) => <li key={reason}>{reason.replaceAll("_", " ")} {formatCount(count)}</li>)}
    </ul>
  );
}

function Offenders({ offenders }: { readonly offenders: readonly Offender[] }) {
  const now = Date.now() / 1000;
  return (
    <>
      <h3>Last rejected</h3>
      {offenders.length === 0 && <p class="message">Nothing was rejected.</p>}
      {offenders.length > 0 && (
        <div class="table-box">
          <table>
            <thead><tr><th>When</th><th>Source</th><th>Reason</th><th>As it came</th></tr></thead>
            <tbody>
              {offenders.map((one, i) => (
                <tr key={`${one.at} ${i}`}>
                  <td class="whole">{formatMoment(one.at, now)}</td>
                  <td class="whole">{one.source}</td>
                  <td class="whole">{one.reason.replaceAll("_", " ")}</td>
                  <td class="bytes"><code>{one.text}</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
