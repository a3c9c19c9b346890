/**
 * Colours of lines. Eight hues that stay apart for readers with deficient colour vision because their lightness
 * differs too, after Okabe and Ito; each at least 3:1 against the ground of its theme (WCAG 1.4.11).
 * From the ninth line on the hues come again, dashed.
 */

import type { Theme } from "../state/theme";

const LINES: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#0067b8", "#d55e00", "#007d60", "#a8428c", "#8a6d00", "#3d9bcf", "#5b3fb5", "#59636e"],
  dark: ["#5cb0ff", "#ff9a4d", "#35c79e", "#f08fcb", "#e6c84f", "#9adcf7", "#a997ff", "#aeb8c2"],
};

export interface Ink {
  readonly axis: string;
  readonly rule: string;
  readonly ground: string;
  /** Of what happened: the stroke across the tally. */
  readonly mark: string;
}

export const INK: Readonly<Record<Theme, Ink>> = {
  light: { axis: "#56616d", rule: "#e9ecef", ground: "#ffffff", mark: "#c25a00" },
  dark: { axis: "#98a4b0", rule: "#242b33", ground: "#161b21", mark: "#ff9a4d" },
};

export function lineColour(theme: Theme, index: number): string {
  const lines = LINES[theme];
  return lines[index % lines.length] ?? "#888888";
}

export function lineDash(index: number): number[] {
  const round = Math.floor(index / LINES.light.length);
  return round === 0 ? [] : round === 1 ? [6, 3] : [2, 3];
}

/** The colour of a band: the line's, faint. */
export function bandColour(theme: Theme, index: number): string {
  return lineColour(theme, index) + (theme === "light" ? "26" : "2e");
}
