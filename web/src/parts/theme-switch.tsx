import { choice, nextChoice, type Choice } from "../state/theme";

const DRAWN: Readonly<Record<Choice, string>> = {
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  dark: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
};

/** Follows the system, light, dark, and round again. */
export function ThemeSwitch() {
  const label = choice.value === "auto" ? "Theme: as the system" : `Theme: ${choice.value}`;
  return (
    <button type="button" class="icon" aria-label={label} title={label} onClick={nextChoice}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={DRAWN[choice.value]} />
        {choice.value === "auto" && <path class="half" d="M12 3a9 9 0 0 1 0 18z" />}
      </svg>
    </button>
  );
}
