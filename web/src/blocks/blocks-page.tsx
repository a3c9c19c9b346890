/** What is not taken, by whom that was said and why; to say so, and to take it back. */

import { useEffect, useState } from "preact/hooks";

import type { Result } from "../api";
import { formatMoment } from "../format/time";
import { formatCount } from "../format/units";
import { beat, refresh } from "../state/live";
import { blocks, unblock, type Act, type Block, type Blocks, type Sender } from "./api";
import { BlockForm } from "./block-form";
import { me } from "./me";

const SENDERS_MAX = 12;

export function BlocksPage() {
  const [result, setResult] = useState<Result<Blocks> | null>(null);
  useEffect(() => {
    const control = new AbortController();
    void blocks(control.signal).then((next) => {
      if (next.ok || !next.aborted) setResult(next);
    });
    return () => control.abort();
  }, [beat.value]);

  return (
    <section class="ledger blocks">
      <h1>Blocks</h1>
      <p class="lead">Names and hosts that are not taken. Agents stop sending them within a second, and everything kept out is counted.</p>
      <BlockForm />
      {result === null && <div class="skeleton block" aria-label="loading" />}
      {result?.ok === false && <p class="message error" role="alert">{result.error}</p>}
      {result?.ok && (
        <>
          <List found={result.value} />
          <Senders senders={result.value.sources} />
          <Acts acts={result.value.acts} />
        </>
      )}
    </section>
  );
}

function List({ found }: { readonly found: Blocks }) {
  const now = Date.now() / 1000;
  if (found.blocks.length + found.rules.length === 0) return <p class="message">Nothing is blocked.</p>;
  return (
    <div class="table-box">
      <table>
        <thead><tr><th>Names</th><th>Until</th><th class="number">Kept out</th><th>Why</th><th><span class="unseen">End it</span></th></tr></thead>
        <tbody>
          {found.blocks.map((one) => <Row key={one.id} one={one} now={now} />)}
          {found.rules.map(({ pattern }) => (
            <tr key={pattern}>
              <th scope="row" class="bytes"><code>{pattern}</code></th>
              <td data-label="until">for good</td><td class="number" /><td class="from" data-label="why">a rule of the config</td><td />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ one, now }: { readonly one: Block; readonly now: number }) {
  const [error, setError] = useState("");
  const end = (): void => {
    void unblock(one, me()).then((answer) => {
      if (answer.ok) refresh();
      else setError(answer.error);
    });
  };
  return (
    <tr>
      <th scope="row" class="bytes">
        <code>{one.pattern}</code>
        {one.source && <div class="from">from {one.source}</div>}
      </th>
      <td data-label="until">{one.until === null ? "for good" : formatMoment(one.until, now)}</td>
      <td class="number" data-label="kept out">{formatCount(one.refused)}</td>
      <td data-label="why">
        <div>{one.why}<div class="from">{one.who}, {formatMoment(one.since, now)}</div>{error && <div class="bad" role="alert">{error}</div>}</div>
      </td>
      <td class="number"><button type="button" aria-label={`Unblock ${one.pattern}`} onClick={end}>Unblock</button></td>
    </tr>
  );
}

function Senders({ senders }: { readonly senders: readonly Sender[] }) {
  if (senders.length === 0) return null;
  return (
    <>
      <h2>Of whom</h2>
      <div class="table-box">
        <table>
          <thead><tr><th>Sent by</th><th class="number">Kept out here</th><th class="number">Not sent</th></tr></thead>
          <tbody>
            {senders.slice(0, SENDERS_MAX).map((one) => (
              <tr key={`${one.source} ${one.peer}`}>
                <th scope="row">{one.peer || one.source}{one.peer && <div class="from">{one.source}</div>}</th>
                <td class="number" data-label="kept out">{formatCount(one.blocked)}</td>
                <td class="number" data-label="not sent">{formatCount(one.withheld)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

const DONE = { block: "blocked", unblock: "unblocked", expire: "ended" } as const;

function Acts({ acts }: { readonly acts: readonly Act[] }) {
  const now = Date.now() / 1000;
  if (acts.length === 0) return null;
  return (
    <>
      <h2>Who did what</h2>
      <div class="table-box">
        <table>
          <thead><tr><th>When</th><th>What</th><th>Names</th><th>Why</th><th>Who</th></tr></thead>
          <tbody>
            {acts.map((one) => (
              <tr key={one.id}>
                <td class="whole" data-label="when">{formatMoment(one.at, now)}</td>
                <td data-label="what">{DONE[one.what]}</td>
                <td class="bytes" data-label="names"><div><code>{one.pattern}</code>{one.source && <div class="from">from {one.source}</div>}</div></td>
                <td data-label="why">{one.why}</td>
                <td class="from" data-label="who">{one.who}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
