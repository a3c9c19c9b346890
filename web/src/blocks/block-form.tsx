/** What to block, for how long, and why. */

import { useState } from "preact/hooks";

import { refresh } from "../state/live";
import { block, type Wish } from "./api";
import { callMe, me } from "./me";

const LENGTHS = [["30m", "30 minutes"], ["2h", "2 hours"], ["1d", "a day"], ["7d", "a week"], ["", "for good"]] as const;

export function BlockForm() {
  const [wish, setWish] = useState<Wish>({ pattern: "", source: "", for: "2h", why: "", who: me() });
  const [error, setError] = useState("");
  const [waits, setWaits] = useState(false);
  const change = (part: Partial<Wish>): void => setWish({ ...wish, ...part });

  const submit = (event: Event): void => {
    event.preventDefault();
    setWaits(true);
    callMe(wish.who);
    void block({ ...wish, pattern: wish.pattern.trim() || "*" }).then((answer) => {
      setWaits(false);
      setError(answer.ok ? "" : answer.error);
      if (!answer.ok) return;
      change({ pattern: "", source: "", why: "" });
      refresh();
    });
  };

  const ready = (wish.pattern.trim() !== "" || wish.source.trim() !== "") && wish.why.trim() !== "";
  return (
    <form class="block-form" onSubmit={submit}>
      <label>Names
        <input placeholder="web.*.request_id.*" value={wish.pattern} spellcheck={false} autocomplete="off"
          onInput={(event) => change({ pattern: event.currentTarget.value })} />
      </label>
      <label>From
        <input placeholder="everyone, or 10.1.0.0/16" value={wish.source} spellcheck={false} autocomplete="off"
          onInput={(event) => change({ source: event.currentTarget.value })} />
      </label>
      <label>For
        <select value={wish.for} onChange={(event) => change({ for: event.currentTarget.value })}>
          {LENGTHS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
      </label>
      <label class="wide">Why
        <input placeholder="for whoever misses the data" value={wish.why} onInput={(event) => change({ why: event.currentTarget.value })} />
      </label>
      <label>Who
        <input placeholder="your name" value={wish.who} onInput={(event) => change({ who: event.currentTarget.value })} />
      </label>
      <button type="submit" class="primary" disabled={!ready || waits}>Block</button>
      {error && <p class="bad" role="alert">{error}</p>}
    </form>
  );
}
