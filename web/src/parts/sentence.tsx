/** What went wrong, as the server says it: a sentence, and below it the place in what was asked, where it shows that. */
export function Sentence({ text }: { readonly text: string }) {
  const end = text.indexOf("\n");
  if (end < 0) return <span class="sentence">{text}</span>;
  return (
    <span class="sentence">
      {text.slice(0, end)}
      <code class="place">{text.slice(end + 1)}</code>
    </span>
  );
}
