/** Where carbon lines are taken, from the ledger's names of the sources; the usual port if it does not say. */
export function carbonAddress(sources: readonly string[], here: string): { readonly host: string; readonly port: string } {
  for (const source of sources) {
    const match = /^carbon\s+tcp:\/\/(.+):(\d+)$/.exec(source);
    if (match?.[1] && match[2]) {
      const everywhere = match[1] === "0.0.0.0" || match[1] === "[::]";
      return { host: everywhere ? here : match[1].replace(/^\[|\]$/g, ""), port: match[2] };
    }
  }
  return { host: "localhost", port: "2003" };
}
