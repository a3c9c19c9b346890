/** Tables of balances: of sources and those who send to them, and of the beginnings of names. */

import type { ComponentChild } from "preact";

import type { Balance, Ledger, Peer, Source } from "../api";
import { formatCount } from "../format/units";
import { reasonsOf, rejectedOf, verdictOf, wordOf } from "./balance";
import { meaningOfReason } from "./reasons";
import { Strip } from "./strip";

const ROWS_MAX = 12;

export function Sources({ ledger, nowS }: { readonly ledger: Ledger; readonly nowS: number }) {
  const { sources, windows } = ledger;
  if (sources.length === 0) return <p class="message">Nothing has been received yet.</p>;
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr>
            <th>Source</th><th>Last 10 min</th><th class="number">Received</th><th class="number">Stored</th>
            <th class="number">Rejected</th><th>Adds up</th>
          </tr>
        </thead>
        {sources.map((one) => (
          <tbody key={one.source}>
            <Row balance={one} name={one.source} strip={<Strip source={one.source} windows={windows} nowS={nowS} />} />
            <Peers source={one} />
          </tbody>
        ))}
      </table>
    </div>
  );
}

/** Whoever sends much, or what is rejected, comes first; a single host on this machine needs no row of its own. */
function Peers({ source }: { readonly source: Source }) {
  const named = (source.peers ?? []).filter((peer): peer is Peer & { peer: string } => peer.peer !== undefined);
  const local = named.length === 1 && (named[0]?.peer === "127.0.0.1" || named[0]?.peer === "::1");
  if (local) return null;
  const sorted = [...named].sort((a, b) => rejectedOf(b) - rejectedOf(a) || b.received - a.received);
  return (
    <>
      {sorted.slice(0, ROWS_MAX).map((peer) => <Row key={peer.peer} balance={peer} name={peer.peer} inner />)}
      {sorted.length > ROWS_MAX && <tr class="peer"><td colSpan={6}>and {sorted.length - ROWS_MAX} more hosts</td></tr>}
    </>
  );
}

interface RowProps {
  readonly balance: Balance;
  readonly name: string;
  readonly strip?: ComponentChild;
  /** Whether it is a part of the row above. */
  readonly inner?: boolean;
}

function Row({ balance, name, strip, inner = false }: RowProps) {
  const verdict = verdictOf(balance);
  return (
    <tr class={inner ? "peer" : ""}>
      <th scope="row">{name}</th>
      <td class="strip-cell">{strip}</td>
      <td class="number" data-label="received">
        <div>{formatCount(balance.received)}{balance.made ? <div class="from">{formatCount(balance.made)} made by rules</div> : null}</div>
      </td>
      <td class="number" data-label="stored">
        <div>{formatCount(balance.stored)}{balance.late ? <div class="from">{formatCount(balance.late)} late</div> : null}</div>
      </td>
      <td class="number" data-label="rejected"><div>{formatCount(rejectedOf(balance))}<Reasons balance={balance} /></div></td>
      <td class={verdict.tone} data-label="adds up">{verdict.text}</td>
    </tr>
  );
}

/** By the beginning of names; only what was rejected, or most of what came. */
export function Prefixes({ ledger }: { readonly ledger: Ledger }) {
  const sorted = [...ledger.prefixes].sort((a, b) => rejectedOf(b) - rejectedOf(a) || b.received - a.received);
  if (sorted.length === 0) return null;
  return (
    <>
      <h2>By name</h2>
      <div class="table-box">
        <table>
          <thead><tr><th>Names below</th><th class="number">Received</th><th class="number">Stored</th><th class="number">Rejected</th></tr></thead>
          <tbody>
            {sorted.slice(0, ROWS_MAX).map((one) => (
              <tr key={one.prefix ?? ""}>
                <th scope="row">{one.prefix ?? <span class="from">no name that could be read</span>}</th>
                <td class="number" data-label="received">{formatCount(one.received)}</td>
                <td class="number" data-label="stored">{formatCount(one.stored)}</td>
                <td class="number" data-label="rejected"><div>{formatCount(rejectedOf(one))}<Reasons balance={one} /></div></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > ROWS_MAX && <p class="graph-more">{ROWS_MAX} of {sorted.length} are shown.</p>}
    </>
  );
}

function Reasons({ balance }: { readonly balance: Balance }) {
  const reasons = reasonsOf(balance);
  if (reasons.length === 0) return null;
  return (
    <ul class="reasons">
      {reasons.map(([reason, count]) => <li key={reason} title={meaningOfReason(reason)}>{wordOf(reason)} {formatCount(count)}</li>)}
    </ul>
  );
}
