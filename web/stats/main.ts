/** The page: asks the application that includes it, at the page's own address, and draws what it answers. */

import "uplot/dist/uPlot.min.css";
import "./stats.css";

import type { Theme } from "../src/state/theme";
import { graph, type Graph } from "./graph";
import { drawings, isEmpty, RANGES, readNumbers, times, type Numbers, type Range } from "./numbers";

const AGAIN_MS = 30_000;

const dark = matchMedia("(prefers-color-scheme: dark)");
const title = byId("title");
const notice = byId("notice");
const place = byId("graphs");
const buttons = new Map<Range, HTMLButtonElement>();
let shown: Range = rangeOfAddress();
let last: Numbers | null = null;
let graphs: readonly Graph[] = [];
let control = new AbortController();

for (const [range, label] of Object.entries(RANGES) as [Range, string][]) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", () => {
    location.hash = range;
  });
  buttons.set(range, button);
  byId("ranges").append(button);
}
addEventListener("hashchange", () => choose(rangeOfAddress()));
dark.addEventListener("change", () => last && draw(last));
new ResizeObserver(() => graphs.forEach((one) => one.fit())).observe(place);
document.addEventListener("visibilitychange", () => void refresh());
setInterval(() => void refresh(), AGAIN_MS);
choose(shown);

function choose(range: Range): void {
  shown = range;
  for (const [one, button] of buttons) button.setAttribute("aria-pressed", String(one === range));
  place.setAttribute("aria-busy", "true");
  void refresh();
}

async function refresh(): Promise<void> {
  if (document.hidden) return;
  control.abort();
  control = new AbortController();
  const { signal } = control;
  try {
    const response = await fetch(`numbers?range=${shown}`, { signal, headers: { accept: "application/json" } });
    const body: unknown = await response.json().catch(() => null);
    const numbers = response.ok ? readNumbers(body) : null;
    if (numbers) draw(numbers);
    else tell(sentenceOf(body) ?? `The application answered with status ${response.status}.`, true);
  } catch {
    if (!signal.aborted) tell("The application does not answer; trying again.", true);
  }
  if (!signal.aborted) place.removeAttribute("aria-busy");
}

function draw(numbers: Numbers): void {
  last = numbers;
  title.textContent = numbers.app;
  const environment = document.createElement("small");
  environment.textContent = numbers.environment;
  title.append(" ", environment);
  document.title = `${numbers.app} · Stats`;
  graphs.forEach((one) => one.destroy());
  if (isEmpty(numbers)) {
    graphs = [];
    place.replaceChildren(howToBegin(numbers));
    notice.hidden = true;
    return;
  }
  notice.hidden = true;
  const theme: Theme = dark.matches ? "dark" : "light";
  graphs = drawings(numbers, Date.now() / 1000).map((one) => graph(one, times(numbers), theme));
  place.replaceChildren(...graphs.map((one) => one.element));
  graphs.forEach((one) => one.fit());
  place.dataset["range"] = numbers.range;
}

/** What to do where no request was counted in the range. */
function howToBegin(numbers: Numbers): HTMLElement {
  const box = document.createElement("section");
  box.className = "empty";
  const heading = document.createElement("h2");
  heading.textContent = `No requests in this range`;
  const intro = document.createElement("p");
  intro.textContent = `Nothing was counted for “${numbers.app}” in “${numbers.environment}”. If it was asked for something:`;
  const steps = document.createElement("ul");
  const middleware = document.createElement("li");
  middleware.append("the middleware has to be there: ", code('MIDDLEWARE = ["tallystick.sensors.web.django.Middleware", …]'), ", or ", code("app.add_middleware(AsgiMiddleware)"));
  const name = document.createElement("li");
  name.append("the name has to be right: ", code("TALLYSTICK_APP"), " and ", code("TALLYSTICK_ENVIRONMENT"), " are the same for all processes of a program");
  const agent = document.createElement("li");
  agent.append("somebody has to take the numbers: an agent or a server at ", code("TALLYSTICK_AGENT"), ", by default this host's; they come every ten seconds");
  steps.append(middleware, name, agent);
  box.append(heading, intro, steps);
  return box;
}

function tell(text: string, bad: boolean): void {
  notice.textContent = text;
  notice.className = bad ? "bad" : "";
  notice.hidden = false;
}

function code(text: string): HTMLElement {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

function sentenceOf(body: unknown): string | null {
  return typeof body === "object" && body !== null && "error" in body && typeof body.error === "string" ? body.error : null;
}

function rangeOfAddress(): Range {
  const word = location.hash.slice(1);
  return word in RANGES ? (word as Range) : "day";
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no ${id}`);
  return element;
}
