/** Four strokes and one across: a count of five, as it is cut into a tally stick. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M5 4v16M10 4v16M15 4v16M20 4v16" />
      <path class="slash" d="M2 17.5 22 6.5" />
    </svg>
  );
}
