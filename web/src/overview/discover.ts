/** Choosing graphs from the names that exist, knowing nothing about them but their shape. */

import { readUnit } from "../format/meaning";
import { asTarget } from "../format/spelling";
import { unitOf } from "../format/units";
import type { Node } from "../state/tree";

export interface Family {
  readonly title: string;
  readonly target: string;
}

export interface Section {
  readonly path: string;
  /** Branches that look alike, of which this section shows one: hosts, shards, applications. */
  readonly siblings: readonly string[];
  readonly families: readonly Family[];
}

/**
 * Children of a branch; null if it could not be asked.
 *
 * `storedOnly` leaves out names that are made of others when they are read, such as those that StatsD gives to Graphite.
 */
export type Children = (path: string, storedOnly?: boolean) => Promise<readonly Node[] | null>;

/** Kept low: the overview answers "how is it going", the tree has the rest. */
const BRANCHES_MAX = 16;
/** Of more branches than that, so many are looked at, and shown as examples. */
const EXAMPLES = 8;
const DEPTH_MAX = 5;
const LEAVES_MAX = 12;
const WORDS_MAX = 3;
const OWN = "tallystick";
const HOSTS = "hosts";
/** What one looks at first on a host; the rest follows by name. */
const FIRST = ["cpu", "load", "memory", "disk", "network", "filesystem", "checks"];
/** What one looks at first of an application: how much it is asked, how long that takes, what goes wrong. */
const FIRST_LEAVES = ["requests", "response_time", "errors"];
const A_HOST = /^([^.]+\.hosts\.[^.]+|hosts)\.[^.]+$/;
/** Lines that would flatten all others on their graph: nearly 100 %, or what never changes. */
const LEFT_OUT = /^([^.]+\.hosts\.[^.]+|hosts)\.[^.]+\.cpu\.(idle|cores)$/;

/** What lasts, in whatever unit: beside counts it would be a line along the bottom. */
const LASTS = /(^|_)(time|duration|latency|pause|wait|lag)(;|$)/;

/** What a section is made with: how to ask, and the path that its titles leave out. */
interface Plan {
  readonly children: Children;
  readonly base: string;
}

interface Level {
  readonly path: string;
  readonly leaves: readonly Leaf[];
  readonly branches: readonly Node[];
}

/** A series: its name below its level, and its unit as it was said. */
type Leaf = Pick<Node, "text" | "unit">;

async function levelAt(path: string, children: Children, storedOnly = false): Promise<Level> {
  const nodes = (await children(path, storedOnly)) ?? [];
  return {
    path,
    leaves: ordered(nodes.filter((node) => node.leaf), FIRST_LEAVES),
    branches: inOrder(path, nodes.filter((node) => node.branch)),
  };
}

function inOrder(path: string, branches: readonly Node[]): readonly Node[] {
  return A_HOST.test(path) ? ordered(branches, FIRST) : branches;
}

/** Those that are named in `first` first, in its order. */
function ordered(nodes: readonly Node[], first: readonly string[]): readonly Node[] {
  const place = (node: Node): number => (first.indexOf(node.text) + first.length + 1) % (first.length + 1);
  return [...nodes].sort((a, b) => place(a) - place(b));
}

/** What an overview of the branch `at` shows, section by section. */
export async function discover(at: string, children: Children): Promise<Section[]> {
  const top = await levelAt(at, children);
  if (at !== "") return [await sectionOf(top, children)];
  const loose = familiesOf({ children, base: "" }, "", top.leaves, "");
  const roots = await Promise.all(top.branches.slice(0, BRANCHES_MAX).map((root) => levelAt(root.path, children, true)));
  const apart = (await Promise.all(roots.map((root) => classesApart(root, children)))).flat();
  const sections = await Promise.all(
    [...apart]
      .sort((a, b) => rank(a.path) - rank(b.path))
      .slice(0, BRANCHES_MAX)
      .map((level) => sectionOf(level, children)),
  );
  const rest = loose.length ? [{ path: "", siblings: [], families: loose }] : [];
  const all = [...sections.filter((one) => !isOwn(one)), ...rest, ...sections.filter(isOwn)];
  return all.filter((section) => section.families.length > 0);
}

/** Hosts first, what Tallystick counts of itself last. */
function rank(path: string): number {
  const [root, second] = path.split(".");
  if (root === HOSTS || second === HOSTS) return 0;
  return root === OWN ? 2 : 1;
}

/** An environment is not one thing: each class of its hosts is, and what else there is besides hosts. */
async function classesApart(root: Level, children: Children): Promise<Level[]> {
  const hosts = root.branches.find((node) => node.text === HOSTS);
  if (!hosts) return [root];
  const classes = await levelAt(hosts.path, children);
  const levels = await Promise.all(classes.branches.slice(0, BRANCHES_MAX).map((one) => levelAt(one.path, children)));
  const rest = { ...root, branches: root.branches.filter((node) => node !== hosts) };
  return rest.branches.length || rest.leaves.length ? [...levels, rest] : levels;
}

/** Whether a section shows what Tallystick counts of itself: no number that anybody sent. */
export function isOwn(section: Section): boolean {
  return section.path.split(".")[0] === OWN;
}

async function sectionOf(level: Level, children: Children): Promise<Section> {
  const below = await levelsBelow(level, children);
  const [first] = below;
  // A lone branch (the only host) is what its parent is about.
  if (first && level.branches.length === 1 && level.leaves.length === 0 && first.branches.length > 0) {
    return sectionOf(first, children);
  }
  // Branches with the same branches in them are of one kind (hosts): show the first, and the way to the others.
  if (first && below.length > 1 && below.every((one) => one.branches.length > 0 && alike(one, first))) {
    const section = await sectionOf(first, children);
    return section.siblings.length > 0 ? section : { ...section, siblings: level.branches.map((node) => node.path) };
  }
  return { path: level.path, siblings: [], families: await familiesBelow({ children, base: level.path }, level, below, 1) };
}

function levelsBelow(level: Level, children: Children): Promise<Level[]> {
  const some = level.branches.length > BRANCHES_MAX ? level.branches.slice(0, EXAMPLES) : level.branches;
  return Promise.all(some.map((branch) => levelAt(branch.path, children)));
}

function alike(a: Level, b: Level): boolean {
  return a.branches.some((branch) => b.branches.some((other) => other.text === branch.text));
}

async function familiesBelow(plan: Plan, level: Level, below: Level[], depth: number): Promise<Family[]> {
  const own = familiesOf(plan, asTarget(level.path), level.leaves, level.path);
  const merged = mergeAlike(plan, level, below);
  const single = below.filter((one) => !merged.covers.has(one.path));
  const deeper = await Promise.all(
    single.map(async (one) => {
      if (depth >= DEPTH_MAX) return [];
      return familiesBelow(plan, one, await levelsBelow(one, plan.children), depth + 1);
    }),
  );
  return [...own, ...merged.families, ...deeper.flat()];
}

/** Neighbours with much the same leaves and nothing else (disks, interfaces, mounts) share their graphs. */
function mergeAlike(plan: Plan, level: Level, below: readonly Level[]): { families: Family[]; covers: Set<string> } {
  const plain = below.filter((one) => one.branches.length === 0 && one.leaves.length > 0);
  const families: Family[] = [];
  const covers = new Set<string>();
  for (const group of kindred(plain)) {
    if (group.length < 2) continue;
    group.forEach((one) => covers.add(one.path));
    const names = group.map((one) => asTarget(one.path.split(".").at(-1) ?? ""));
    const between = group.length === level.branches.length ? "*" : `{${names.join(",")}}`;
    const examples = level.branches.length > below.length ? ` · ${group.length} of ${level.branches.length}` : "";
    const leaves = [...new Map(group.flatMap((one) => one.leaves.map((leaf) => [leaf.text, leaf]))).values()];
    const found = familiesOf(plan, join(asTarget(level.path), between), leaves, level.path);
    families.push(...found.map((family) => ({ ...family, title: family.title + examples })));
  }
  return { families, covers };
}

/** Branches that share at least half of their leaves with the first of their group; not every disk counts everything. */
function kindred(branches: readonly Level[]): Level[][] {
  const groups: Level[][] = [];
  for (const branch of branches) {
    const group = groups.find(([first]) => first !== undefined && overlap(first.leaves, branch.leaves) >= 0.5);
    if (group) group.push(branch);
    else groups.push([branch]);
  }
  return groups;
}

/** Shared leaves as a part of all leaves of both. */
function overlap(a: readonly Leaf[], b: readonly Leaf[]): number {
  const names = new Set(b.map((leaf) => leaf.text));
  const shared = a.filter((leaf) => names.has(leaf.text)).length;
  return shared / (a.length + b.length - shared);
}

/** Leaves that can share an axis have the same one: by what was said of them, else by their names. */
function axisOf(path: string, { text, unit }: Leaf): string {
  if (unit) {
    const said = readUnit(unit);
    return said.unit || said.word;
  }
  return unitOf(join(path, text)) || (LASTS.test(text) ? "time" : "");
}

/**
 * One graph for each unit among the leaves: bytes and percent do not share an axis, counts and times neither.
 *
 * `path` is the target of their branch, or of several that are `called` after the one above them.
 */
function familiesOf(plan: Plan, path: string, leaves: readonly Leaf[], called: string): Family[] {
  const shown = leaves.filter((leaf) => !LEFT_OUT.test(join(called, leaf.text)));
  const groups = grouped(shown, (leaf) => axisOf(path, leaf)).map((group) => group.map((leaf) => leaf.text));
  const title = called === plan.base ? called.slice(called.lastIndexOf(".") + 1) : called.slice(plan.base ? plan.base.length + 1 : 0);
  return groups.map((names) => {
    const whole = names.length === leaves.length && names.length > 1 && names.length <= LEAVES_MAX;
    const listed = names.length === 1 ? asTarget(names[0] ?? "*") : `{${names.slice(0, LEAVES_MAX).map(asTarget).join(",")}}`;
    const part = groups.length > 1 || names.length === 1 ? words(names) : "";
    return {
      title: [title.replaceAll(".", " "), part].filter(Boolean).join(" · "),
      target: join(path, whole ? "*" : listed),
    };
  });
}

function words(names: readonly string[]): string {
  const different = [...new Set(names.map((name) => (name.split(";")[0] ?? name).replaceAll("_", " ")))];
  return different.slice(0, WORDS_MAX).join(", ") + (different.length > WORDS_MAX ? " …" : "");
}

function join(path: string, part: string): string {
  return path ? `${path}.${part}` : part;
}

/** Items with the same key together, in the order of their first. */
function grouped<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()];
}
