import { expect, test } from "vitest";

import { distinguish } from "../src/format/names";
import { discover, isOwn, type Children } from "../src/overview/discover";
import type { Node } from "../src/state/tree";

/** A tree of names like the server's, from the names of its series. */
function treeOf(names: readonly string[], units: Readonly<Record<string, string>> = {}): Children {
  return async (path, storedOnly) => {
    if (storedOnly && path === "stats") return [];
    const below = names.filter((name) => path === "" || name.startsWith(`${path}.`));
    const rest = below.map((name) => name.slice(path ? path.length + 1 : 0).split("."));
    const nodes = new Map<string, Node>();
    for (const [text, ...more] of rest) {
      if (text === undefined) continue;
      const before = nodes.get(text);
      nodes.set(text, {
        text,
        path: path ? `${path}.${text}` : text,
        leaf: more.length === 0 || (before?.leaf ?? false),
        branch: more.length > 0 || (before?.branch ?? false),
        ...(more.length === 0 && units[text] && { unit: units[text] }),
      });
    }
    return [...nodes.values()];
  };
}

const host = (name: string): string[] => [
  `hosts.${name}.cpu.user`,
  `hosts.${name}.cpu.idle`,
  `hosts.${name}.cpu.system`,
  `hosts.${name}.load.1m`,
  `hosts.${name}.disk.sda.read_bytes`,
  `hosts.${name}.disk.sda.reads`,
  `hosts.${name}.disk.sdb.read_bytes`,
  `hosts.${name}.disk.sdb.reads`,
];

test("one host is a section with a graph for each family, and each unit has its own", async () => {
  const [section, ...others] = await discover("", treeOf(host("web1")));
  expect(others).toEqual([]);
  expect(section).toEqual({
    path: "hosts.web1",
    siblings: [],
    families: [
      { title: "cpu", target: "hosts.web1.cpu.{user,system}" },
      { title: "load · 1m", target: "hosts.web1.load.1m" },
      { title: "disk · read bytes", target: "hosts.web1.disk.*.read_bytes" },
      { title: "disk · reads", target: "hosts.web1.disk.*.reads" },
    ],
  });
});

test("of many hosts the first is shown, with the way to the others", async () => {
  const [section] = await discover("", treeOf(["web1", "web2", "web3"].flatMap(host)));
  expect(section?.path).toBe("hosts.web1");
  expect(section?.siblings).toEqual(["hosts.web1", "hosts.web2", "hosts.web3"]);
});

test("hosts come first, whatever else there is; loose series come last", async () => {
  const sections = await discover("", treeOf(["app.requests", "loose", ...host("web1")]));
  expect(sections.map((section) => section.path)).toEqual(["hosts.web1", "app", ""]);
  expect(sections.at(-1)?.families).toEqual([{ title: "loose", target: "loose" }]);
});

test("what Tallystick counts of itself comes after everything that was sent", async () => {
  const sections = await discover("", treeOf(["tallystick.ledger.received", "hello.world", "loose"]));
  expect(sections.map((section) => section.path)).toEqual(["hello", "", "tallystick"]);
  expect(sections.map(isOwn)).toEqual([false, false, true]);
});

test("names that are only another view of what was sent are left to the tree", async () => {
  const sections = await discover("", treeOf(["shop.orders", "stats.shop.orders"]));
  expect(sections.map((section) => section.path)).toEqual(["shop"]);
  const [asked] = await discover("stats", treeOf(["shop.orders", "stats.shop.orders"]));
  expect(asked?.families.map((family) => family.target)).toEqual(["stats.shop.orders"]);
});

test("the first number that anybody sends has its graph", async () => {
  const [section] = await discover("", treeOf(["hello.world"]));
  expect(section?.families).toEqual([{ title: "hello · world", target: "hello.world" }]);
});

test("a branch is an overview of what is below it", async () => {
  const [section] = await discover("hosts.web1.cpu", treeOf(host("web1")));
  expect(section?.families.map((family) => family.target)).toEqual(["hosts.web1.cpu.{user,system}"]);
});

test("an empty server has nothing to show, and one that does not answer neither", async () => {
  expect(await discover("", treeOf([]))).toEqual([]);
  expect(await discover("", async () => null)).toEqual([]);
});

test("neighbours that lack one of the others' leaves still share their graphs", async () => {
  const names = ["shop.web1.orders", "shop.web1.answer_ms", "shop.web2.orders", "shop.cache.hits", "shop.cache.misses"];
  const [section] = await discover("", treeOf(names));
  expect(section?.families.map((family) => family.target)).toEqual([
    "shop.{web1,web2}.orders",
    "shop.{web1,web2}.answer_ms",
    "shop.cache.*",
  ]);
});

test("of very many neighbours some are shown as examples, and the title says so", async () => {
  const names = Array.from({ length: 80 }, (_, i) => `apps.shop.n${i}.requests`);
  const [section] = await discover("", treeOf(names));
  expect(section?.families).toEqual([
    { title: "shop · requests · 8 of 80", target: "apps.shop.{n0,n1,n2,n3,n4,n5,n6,n7}.requests" },
  ]);
});

test("a level of thousands asks for a bounded number of others", async () => {
  const children = treeOf(Array.from({ length: 2000 }, (_, i) => `n${i}.a.b.c`));
  let asked = 0;
  await discover("", (path) => ((asked += 1), children(path)));
  expect(asked).toBeLessThan(100);
});

test.each([
  [["hosts.a.cpu.user", "hosts.a.cpu.system"], ["user", "system"]],
  [["d.sda.read", "d.sda.write", "d.sdb.read"], ["sda read", "sda write", "sdb read"]],
  [["hosts.a.cpu.user"], ["user"]],
  [["a.b", "a.b.c"], ["b", "b.c"]],
  [["sumSeries(a.*)", "a.b"], ["sumSeries(a.*)", "a.b"]],
  [["perSecond(a.b)", "perSecond(a.c)"], ["b", "c"]],
  [["r;env=prod;status=200", "r;env=prod;status=500"], ["status=200", "status=500"]],
  [["p.cpu;mode=user", "p.cpu;mode=system", "p.starts;version=4.2"], ["cpu user", "cpu system", "starts 4.2"]],
  [["r", "r;env=prod"], ["r", "r;env=prod"]],
  [["a.b", "a.b"], ["a.b", "a.b"]],
  [[], []],
])("in a legend only the difference is told: %j", (names, labels) => {
  expect(distinguish(names)).toEqual(labels);
});

test("each class of hosts of an environment is a section, and so is what else there is", async () => {
  const planned = (environment: string, kind: string, name: string): string[] =>
    host(name).map((one) => one.replace("hosts.", `${environment}.hosts.${kind}.`));
  const names = ["web1", "web2"].flatMap((name) => planned("prod", "web", name));
  names.push("prod.apps.shop.requests", ...planned("prod", "db", "db1"), ...planned("dev", "vm", "vm"));
  const sections = await discover("", treeOf(names));
  expect(sections.map((section) => section.path)).toEqual([
    "prod.hosts.web.web1",
    "prod.hosts.db.db1",
    "dev.hosts.vm.vm",
    "prod.apps",
  ]);
  expect(sections[0]?.siblings).toEqual(["prod.hosts.web.web1", "prod.hosts.web.web2"]);
  expect(sections[0]?.families[0]).toEqual({ title: "cpu", target: "prod.hosts.web.web1.cpu.{user,system}" });
});

test("what one looks at first on a host comes first", async () => {
  const names = ["clock.offset_s", "checks.shop.up", "cpu.user", "kernel.forks", "load.1m", "vmstat.oom_kills"];
  const [section] = await discover("", treeOf(names.map((name) => `dev.hosts.web.web1.${name}`)));
  const firsts = section?.families.map((family) => family.title.split(" ")[0]);
  expect(firsts).toEqual(["cpu", "load", "checks", "clock", "kernel", "vmstat"]);
});

test("how long requests took has a graph of its own beside how many there were", async () => {
  const names = ["errors", "requests", "response_time", "gc.collected;generation=0", "gc.pause;generation=0"];
  const [section] = await discover("dev.apps.shop", treeOf(names.map((name) => `dev.apps.shop.${name}`)));
  expect(section?.families).toEqual([
    { title: "shop · requests, errors", target: "dev.apps.shop.{requests,errors}" },
    { title: "shop · response time", target: "dev.apps.shop.response_time" },
    { title: "gc · collected", target: "dev.apps.shop.gc.collected;generation=0" },
    { title: "gc · pause", target: "dev.apps.shop.gc.pause;generation=0" },
  ]);
});

test("what was said of series counts before their names: each unit has its graph, however it is spelt", async () => {
  const names = ["requests", "errors", "paid", "revenue", "wait", "hold", "size"].map((name) => `app.${name}`);
  const units = { requests: "requests", errors: "errors", paid: "requests", revenue: "EUR", wait: "s", hold: "seconds", size: "By" };
  const [section] = await discover("app", treeOf(names, units));
  expect(section?.families.map((family) => family.target)).toEqual([
    "app.{requests,paid}",
    "app.errors",
    "app.revenue",
    "app.{wait,hold}",
    "app.size",
  ]);
});

test("names with brackets, commas and braces in them have their graphs", async () => {
  const names = ["odd.f(x).value", "odd.{a,b}.value", "odd.plain.value", "lone(1)"];
  const [section, loose] = await discover("", treeOf(names));
  expect(section?.families).toEqual([{ title: "odd · value", target: "odd.*.value" }]);
  expect(loose?.families).toEqual([{ title: "lone(1)", target: String.raw`lone\(1\)` }]);
  const mixed = await discover("", treeOf([...names.slice(0, 2), "odd.other.thing.deep"]));
  expect(mixed[0]?.families.map((family) => family.target)).toEqual([
    String.raw`odd.{f\(x\),\\\{a\\\,b\\\}}.value`,
    "odd.other.thing.deep",
  ]);
});
