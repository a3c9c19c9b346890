/** No series at all: how to send the first number. The page fills by itself when it arrives. */

import { useEffect, useState } from "preact/hooks";

import { ledger } from "../api";
import { beat, refresh } from "../state/live";
import { carbonAddress } from "./carbon-address";

const IMPATIENT_MS = 2000;

export function Empty() {
  const [sources, setSources] = useState<readonly string[]>([]);
  const [copying, setCopying] = useState("copy");

  useEffect(() => {
    const control = new AbortController();
    void ledger(control.signal).then((result) => {
      if (result.ok) setSources(result.value.sources.map((one) => one.source));
    });
    return () => control.abort();
  }, [beat.value]);

  useEffect(() => {
    // Whoever has just sent a first number looks here: do not keep them waiting for the usual beat.
    const timer = setInterval(() => !document.hidden && refresh(), IMPATIENT_MS);
    return () => clearInterval(timer);
  }, []);

  const { host, port } = carbonAddress(sources, location.hostname);
  const command = `echo "hello.world 42 $(date +%s)" | nc -q0 ${host} ${port}`;
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(command);
      setCopying("copied");
    } catch {
      // The browser does not allow it: one click on the command selects all of it.
      setCopying("select it");
    }
  };

  return (
    <section class="empty">
      <svg viewBox="0 0 96 48" class="empty-mark" aria-hidden="true">
        <path d="M16 8v32M32 8v32M48 8v32M64 8v32" />
        <path class="slash" d="M6 36 74 12" />
      </svg>
      <h2>No numbers yet</h2>
      <p>Send the first one from any shell. It will be on this page a moment later.</p>
      <div class="command">
        <code>{command}</code>
        {window.isSecureContext && (
          <button type="button" onClick={() => void copy()}>{copying}</button>
        )}
      </div>
      <p class="waiting"><span class="dot live" /> waiting for the first number</p>
      <p class="fine">
        Whatever speaks Graphite or StatsD can send here too: collectd, a StatsD client, a cron job. What could not be
        read is listed, with its reason, in the <a href="#/ledger">ledger</a>.
      </p>
    </section>
  );
}
