/** Names of several series, without what all of them share: in a legend only the difference matters. */

/** For each name the components that tell it from the others; the last component where nothing does. */
export function distinguish(names: readonly string[]): string[] {
  const wrapped = /^[A-Za-z]\w*\(/;
  if (names.length === 0 || names.some((name) => wrapped.test(name) && !/^perSecond\([^(),]*\)$/.test(name))) {
    return [...names];
  }
  const parts = names.map((name) => name.replace(/^perSecond\((.*)\)$/, "$1").split("."));
  const first = parts[0] ?? [];
  if (parts.length === 1) return [first.at(-1) ?? ""];
  const length = first.length;
  if (parts.some((one) => one.length !== length)) return withoutCommonHead(parts);
  const differs = first.map((component, column) => parts.some((one) => one[column] !== component));
  if (!differs.includes(true)) return [...names];
  return parts.map((one) => one.filter((_, column) => differs[column]).join(" "));
}

function withoutCommonHead(parts: readonly (readonly string[])[]): string[] {
  const shortest = Math.min(...parts.map((one) => one.length));
  let head = 0;
  while (head < shortest - 1 && parts.every((one) => one[head] === parts[0]?.[head])) head += 1;
  return parts.map((one) => one.slice(head).join("."));
}
