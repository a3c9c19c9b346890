/**
 * How a name is asked for by itself, whatever is in it: brackets, quotes, wildcards, commas.
 *
 * A glob takes a character as it is after a backslash, and a target has backslashes of its own around the glob:
 * `a*` is asked for as `a\*`, and in a target as `a\\*`.
 */

/** The glob, for `/metrics/find`, that only this name matches. */
export function asGlob(name: string): string {
  return name.replace(/[*?[\]{}\\]/g, "\\$&");
}

/** The target that only this name matches; it may stand between braces, too. */
export function asTarget(name: string): string {
  return name.replace(/[*?[\]{},\\()'"|]/g, (one) => {
    if ("()'\"|".includes(one)) return `\\${one}`;
    if (one === "\\") return "\\\\\\\\";
    return "{},".includes(one) ? `\\\\\\${one}` : `\\\\${one}`;
  });
}

/** A target as people read it: one that is but a name without what its spelling needs. */
export function readable(target: string): string {
  if (!target.includes("\\")) return target;
  const name = target.replace(/\\\\\\([{},])|\\\\([*?[\]])|\\\\(\\)\\|\\([()'"|])/g, "$1$2$3$4");
  return asTarget(name) === target ? name : target;
}
