/** Who has how many series, what grows, and what nobody reads. */

import { useEffect, useState } from "preact/hooks";

import type { Result } from "../api";
import { asTarget } from "../format/spelling";
import { formatDay } from "../format/time";
import { formatCount } from "../format/units";
import { beat } from "../state/live";
import { addressOf, view } from "../state/view";
import { cardinality, type Cardinality, type Group } from "./api";
import { shortOf, TreeMap } from "./tree-map";

const ROWS_MAX = 15;

export function SeriesPage() {
  const under = view.value.at;
  const [result, setResult] = useState<Result<Cardinality> | null>(null);
  useEffect(() => {
    const control = new AbortController();
    void cardinality(under, control.signal).then((next) => {
      if (next.ok || !next.aborted) setResult(next);
    });
    return () => control.abort();
  }, [beat.value, under]);

  return (
    <section class="ledger series">
      <h1>Series</h1>
      <Path under={under} />
      {result === null && <div class="skeleton block" aria-label="loading" />}
      {result?.ok === false && <p class="message error" role="alert">{result.error}</p>}
      {result?.ok && <Found found={result.value} />}
    </section>
  );
}

function Found({ found }: { readonly found: Cardinality }) {
  const { total, under } = found;
  if (total.series === 0) return <p class="message">There are no series here.</p>;
  const now = Date.now() / 1000;
  return (
    <>
      <p class="lead">
        <b>{formatCount(total.series)}</b> series, <b>{formatCount(total.hour)}</b> new in the last hour and{" "}
        <b>{formatCount(total.day)}</b> in the last day. <b>{formatCount(total.unread)}</b> were not read since{" "}
        {formatDay(Math.max(found.unread_s, found.noted_since_s), now)}.
      </p>
      <TreeMap groups={found.prefixes} under={under} addressOf={below} />
      <p class="map-legend" aria-hidden="true">
        <span><span class="tile-key calm" />settled</span>
        <span><span class="tile-key warm" />a tenth came today</span>
        <span><span class="tile-key hot" />a tenth came in the last hour</span>
      </p>
      <Groups heading="Names below" groups={found.prefixes} under={under} linked />
      <Groups heading="Tags" groups={found.tags} values="values" />
      <Groups heading="Sent by" groups={found.sources} />
      {found.unread.length > 0 && (
        <>
          <h2>Nobody reads, for example</h2>
          <ul class="unread">{found.unread.map((name) => <li key={name}><a href={addressOf({ page: "graphs", targets: [asTarget(name)] })}>{name}</a></li>)}</ul>
        </>
      )}
    </>
  );
}

interface GroupsProps {
  readonly heading: string;
  readonly groups: readonly Group[];
  readonly under?: string;
  readonly linked?: boolean;
  /** Heading of the number of values, where they are shown. */
  readonly values?: string;
}

function Groups({ heading, groups, under = "", linked = false, values }: GroupsProps) {
  if (groups.length === 0) return null;
  const most = groups[0]?.series ?? 1;
  return (
    <>
      <h2>{heading}</h2>
      <div class="table-box">
        <table>
          <thead>
            <tr>
              <th>{heading}</th><th class="number">Series</th><th class="number">New in 1 h</th><th class="number">New in 1 d</th>
              <th class="number">Unread</th>{values && <th class="number">Values</th>}
            </tr>
          </thead>
          <tbody>
            {groups.slice(0, ROWS_MAX).map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  {linked && one.values > 0 && one.name !== under ? <a href={below(one.name)}>{shortOf(one, under)}</a> : shortOf(one, under)}
                  <span class="bar" style={{ width: `${(100 * one.series) / most}%` }} />
                </th>
                <td class="number" data-label="series">{formatCount(one.series)}</td>
                <td class={`number ${one.hour ? "late" : ""}`} data-label="new in 1 h">{formatCount(one.hour)}</td>
                <td class="number" data-label="new in 1 d">{formatCount(one.day)}</td>
                <td class="number" data-label="unread">{formatCount(one.unread)}</td>
                {values && <td class="number" data-label={values}>{formatCount(one.values)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {groups.length > ROWS_MAX && <p class="graph-more">{ROWS_MAX} of {groups.length} are shown.</p>}
    </>
  );
}

function Path({ under }: { readonly under: string }) {
  const parts = under ? under.split(".") : [];
  return (
    <nav class="path" aria-label="Beginning of names">
      <a href={below("")} aria-current={under ? undefined : "page"}>all</a>
      {parts.map((part, i) => {
        const whole = parts.slice(0, i + 1).join(".");
        return <span key={whole}> . <a href={below(whole)} aria-current={whole === under ? "page" : undefined}>{part}</a></span>;
      })}
    </nav>
  );
}

function below(name: string): string {
  return addressOf({ page: "series", at: name });
}
