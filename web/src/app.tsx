/** The frame: header, names on the left, the page in the middle. */

import { useEffect, useState } from "preact/hooks";

import { BlocksPage } from "./blocks/blocks-page";
import { Graph } from "./chart/graph";
import { readable } from "./format/spelling";
import { LedgerPage } from "./ledger/ledger-page";
import { Overview } from "./overview/overview";
import { HealthPill } from "./parts/health-pill";
import { LiveSwitch } from "./parts/live-switch";
import { Logo } from "./parts/logo";
import { QueryBar } from "./parts/query-bar";
import { RangePicker } from "./parts/range-picker";
import { ThemeSwitch } from "./parts/theme-switch";
import { SeriesPage } from "./series/series-page";
import { Side } from "./side/side";
import { addressOf, removeTarget, view } from "./state/view";

const PAGES = [
  { page: "series", title: "Series" },
  { page: "blocks", title: "Blocks" },
  { page: "ledger", title: "Ledger" },
] as const;

export function App() {
  const [sideOpen, setSideOpen] = useState(false);
  const { page, at, targets } = view.value;

  useEffect(() => {
    const named = PAGES.find((one) => one.page === page);
    const what = named ? named.title : page === "graphs" ? targets.map(readable).join(", ") : at;
    document.title = what ? `${what} · Tallystick` : "Tallystick";
  }, [page, at, targets]);

  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={toMain}>Skip to the graphs</a>
      <header class="top">
        <button
          type="button"
          class="icon menu"
          aria-label="Names"
          aria-expanded={sideOpen}
          aria-controls="side"
          onClick={() => setSideOpen(!sideOpen)}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 7h16M4 12h16M4 17h16" /></svg>
        </button>
        <a class="brand" href={addressOf({})}><Logo />Tallystick</a>
        <QueryBar />
        <nav class="top-right" aria-label="Pages">
          {PAGES.map((one) => (
            <a key={one.page} class="top-link" href={addressOf({ page: one.page })} aria-current={page === one.page ? "page" : undefined}>{one.title}</a>
          ))}
          <HealthPill />
          <ThemeSwitch />
        </nav>
      </header>
      <Side open={sideOpen} onClose={() => setSideOpen(false)} />
      <main id="main" tabIndex={-1}>
        {page === "ledger" && <LedgerPage />}
        {page === "series" && <SeriesPage />}
        {page === "blocks" && <BlocksPage />}
        {(page === "overview" || page === "graphs") && <Graphs />}
      </main>
    </div>
  );
}

function Graphs() {
  const { page, at, targets } = view.value;
  return (
    <>
      <div class="toolbar">
        <h1 title={at}>{page === "graphs" ? (targets.length === 1 ? "Graph" : `${targets.length} graphs`) : at || "Overview"}</h1>
        <RangePicker />
        <LiveSwitch />
      </div>
      {page === "overview" && <Overview at={at} />}
      {page === "graphs" && targets.map((target) => (
        <Graph
          key={target}
          target={target}
          title={readable(target)}
          height={targets.length === 1 ? 360 : 220}
          onRemove={() => removeTarget(target)}
        />
      ))}
    </>
  );
}

/** The address holds the view, so the link must not change it. */
function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
