/** What a graph shows and whose it is, as programs and people say. */

import type { About as Told } from "../format/meaning";

const SHOWN = 3;

export function About({ told, brief }: { readonly told: Told; readonly brief: boolean }) {
  const { descriptions, owners, alerts } = told;
  if (descriptions.length + owners.length + alerts.length === 0) return null;
  const shown = descriptions.length <= SHOWN ? descriptions : [];
  return (
    <p class={brief ? "about brief" : "about"} title={brief ? [...descriptions, ...alerts].join("\n") : undefined}>
      {owners.slice(0, SHOWN).map((owner) => <span class="owner" key={owner} title={`owner: ${owner}`}>{owner}</span>)}
      {owners.length > SHOWN && <span class="owner">{owners.length - SHOWN} more</span>}
      <span class="about-text">
        {shown.join(" · ")}
        {!brief && alerts.length > 0 && alerts.length <= SHOWN && (
          <span class="about-alert"> Alert: {alerts.join("; ")}</span>
        )}
      </span>
    </p>
  );
}
