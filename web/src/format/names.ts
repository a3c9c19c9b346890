/** Names of several series, without what all of them share: in a legend only the difference matters. */

/** A name's components, and the values of its tags. */
interface Named {
  readonly parts: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
}

/** For each name what tells it from the others: components, then values of tags; the last component where nothing does. */
export function distinguish(names: readonly string[]): string[] {
  const wrapped = /^[A-Za-z]\w*\(/;
  if (names.length === 0 || names.some((name) => wrapped.test(name) && !/^perSecond\([^(),]*\)$/.test(name))) {
    return [...names];
  }
  const read = names.map((name) => readName(name.replace(/^perSecond\((.*)\)$/, "$1")));
  const [first] = read;
  if (read.length === 1 && first) return [first.parts.at(-1) ?? ""];
  const paths = differentParts(read.map((one) => one.parts));
  const keys = differentKeys(read.map((one) => one.tags));
  // A value alone says what it is beside a word of the name, or beside others of its kind; "0" and "1" do not.
  const bare = keys.length > 1 || paths.some((path) => path !== "");
  const value = (one: Named, key: string): string | undefined => (bare || !one.tags.has(key) ? one.tags.get(key) : `${key}=${one.tags.get(key)}`);
  const labels = read.map((one, i) => [paths[i], ...keys.map((key) => value(one, key))].filter(Boolean).join(" "));
  // Where a label says nothing, or the same as another, the names have to.
  return labels.includes("") || new Set(labels).size < new Set(names).size ? [...names] : labels;
}

function readName(name: string): Named {
  const [path = "", ...pairs] = name.split(";");
  const tags = new Map(pairs.map((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? [pair, ""] as const : [pair.slice(0, at), pair.slice(at + 1)] as const;
  }));
  return { parts: path.split("."), tags };
}

function differentParts(paths: readonly (readonly string[])[]): string[] {
  const [first = []] = paths;
  if (paths.some((one) => one.length !== first.length)) return withoutCommonHead(paths);
  const differs = first.map((component, column) => paths.some((one) => one[column] !== component));
  return paths.map((one) => one.filter((_, column) => differs[column]).join(" "));
}

/** Tags whose values are not the same for all; one that some have and others lack is such. */
function differentKeys(tags: readonly ReadonlyMap<string, string>[]): string[] {
  const keys = [...new Set(tags.flatMap((one) => [...one.keys()]))];
  return keys.filter((key) => new Set(tags.map((one) => one.get(key))).size > 1);
}

function withoutCommonHead(parts: readonly (readonly string[])[]): string[] {
  const shortest = Math.min(...parts.map((one) => one.length));
  let head = 0;
  while (head < shortest - 1 && parts.every((one) => one[head] === parts[0]?.[head])) head += 1;
  return parts.map((one) => one.slice(head).join("."));
}
