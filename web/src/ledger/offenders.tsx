/** The last inputs that were rejected, and a way to find one's own among them. */

import { useState } from "preact/hooks";

import type { Offender } from "../api";
import { formatMoment } from "../format/time";
import { wordOf } from "./balance";
import { meaningOfReason } from "./reasons";

export interface Filter {
  readonly name: string;
  readonly reason: string;
}

const ROWS_MAX = 12;

interface Props {
  readonly offenders: readonly Offender[];
  /** Reasons that occurred. */
  readonly reasons: readonly string[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

export function Offenders({ offenders, reasons, filter, onFilter }: Props) {
  const now = Date.now() / 1000;
  const [all, setAll] = useState(false);
  const shown = all ? offenders : offenders.slice(0, ROWS_MAX);
  const filtered = filter.name !== "" || filter.reason !== "";
  return (
    <>
      <div class="offenders-head">
        <h2>Last rejected</h2>
        <input
          type="search"
          aria-label="Find among what was rejected"
          placeholder="a part of the name"
          value={filter.name}
          onInput={(event) => onFilter({ ...filter, name: event.currentTarget.value })}
        />
        <select
          aria-label="Reason"
          value={filter.reason}
          onChange={(event) => onFilter({ ...filter, reason: event.currentTarget.value })}
        >
          <option value="">every reason</option>
          {reasons.map((reason) => <option key={reason} value={reason}>{wordOf(reason)}</option>)}
        </select>
      </div>
      {offenders.length === 0 && <p class="message">{filtered ? "Nothing like that was rejected." : "Nothing was rejected."}</p>}
      {offenders.length > 0 && (
        <div class="table-box">
          <table>
            <thead><tr><th>When</th><th>Source</th><th>Reason</th><th>As it came</th></tr></thead>
            <tbody>
              {shown.map((one, i) => (
                <tr key={`${one.at} ${i}`}>
                  <td class="whole">{formatMoment(one.at, now)}</td>
                  <td>{one.source}{one.peer && <div class="from">from {one.peer}</div>}</td>
                  <td class="reason">{wordOf(one.reason)}<div class="from">{meaningOfReason(one.reason)}</div></td>
                  <td class="bytes"><code>{one.text}</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {offenders.length > ROWS_MAX && (
        <p class="graph-more">
          <button type="button" onClick={() => setAll(!all)}>
            {all ? `Show the newest ${ROWS_MAX}` : `Show all ${offenders.length}`}
          </button>
        </p>
      )}
    </>
  );
}
