/** Light or dark: as the system says, unless the reader chose. */

import { computed, effect, signal } from "@preact/signals";

export type Choice = "auto" | "light" | "dark";
export type Theme = "light" | "dark";

const KEY = "tallystick.theme";
const ORDER: readonly Choice[] = ["auto", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Choice {
  const found = localStorage.getItem(KEY);
  return ORDER.find((one) => one === found) ?? "auto";
}

const systemIsDark = signal(system.matches);
system.addEventListener("change", () => {
  systemIsDark.value = system.matches;
});

export const choice = signal<Choice>(remembered());
export const theme = computed<Theme>(() => {
  if (choice.value !== "auto") return choice.value;
  return systemIsDark.value ? "dark" : "light";
});

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

export function nextChoice(): void {
  choice.value = ORDER[(ORDER.indexOf(choice.value) + 1) % ORDER.length] ?? "auto";
  localStorage.setItem(KEY, choice.value);
}
