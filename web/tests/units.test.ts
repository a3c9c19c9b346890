import { expect, test } from "vitest";

import { formatCount, formatTicks, formatValue, unitOf } from "../src/format/units";
import { formatLength, formatMoment, formatTick } from "../src/format/time";

const plain = (text: string): string => text.replaceAll("\u202f", " ");

test.each([
  [0, "", "0"],
  [42, "", "42"],
  [1234, "", "1.23 k"],
  [999.6, "", "1 k"],
  [999_950, "", "1 M"],
  [999_950, "B", "977 KiB"],
  [1_023_500, "B", "0.98 MiB"],
  [2 ** 30, "B", "1 GiB"],
  [12_345_678, "B/s", "11.8 MiB/s"],
  [-2_500, "B", "-2.44 KiB"],
  [0.5, "", "0.5"],
  [0.0042, "", "4.2 m"],
  [12.345, "%", "12.3 %"],
  [0.0001, "%", "≈0 %"],
  [0.25, "s", "250 ms"],
  [90, "s", "90 s"],
  [1500, "ms", "1.5 s"],
  [9e17, "", "900 P"],
  [9e20, "", "900 E"],
  [6.022e23, "", "6.02e23"],
  [1e24, "B", "1e24 B"],
  [3e-12, "", "3 p"],
  [-2.5e-15, "s", "-2.5e-15 s"],
] as const)("the number %d in %j reads %j", (value, unit, text) => {
  expect(plain(formatValue(value, unit))).toBe(text);
});

test.each([
  [[99_999.98, 99_999.99, 100_000, 100_000.01], "", ["99.99998 k", "99.99999 k", "100 k", "100.00001 k"]],
  [[0, 50, 100], "%", ["0", "50 %", "100 %"]],
  [[999, 1000, 1001], "", ["999", "1 k", "1.001 k"]],
  [[0, 1e-15], "", ["0", "1e-15"]],
] as const)("ticks of an axis can be told apart: %j", (ticks, unit, texts) => {
  expect(formatTicks(ticks, unit).map(plain)).toEqual(texts);
});

test("what is no number reads as a dash", () => {
  expect([null, undefined, Number.NaN, Infinity].map((value) => formatValue(value, "B"))).toEqual(["–", "–", "–", "–"]);
});

test.each([
  ["net.eth0.received_bytes", "B"],
  ["perSecond(net.eth0.received_bytes)", "B/s"],
  ["sumSeries(app.*.answer_ms)", "ms"],
  ["app.requests_per_s", "/s"],
  ["disk.used_percent;mount=/var", "%"],
  ["hello.world", ""],
  ["bytes", "B"],
  ["shop.{web1,web2}.answer_ms", "ms"],
  ["hosts.web1.cpu.user", "%"],
  ["hosts.web1.cpu.cores", ""],
  ["dev.hosts.web.web1.disk.sda.in_flight", ""],
  ["dev.hosts.web.web1.disk.sda.read_ms", "ms"],
  ["dev.hosts.web.web1.filesystem.root.read_only", ""],
  ["dev.hosts.web.web1.swap.{total,used}", "B"],
  ["dev.hosts.web.web1.swap.in_bytes", "B/s"],
  ["dev.hosts.web.web1.udp.received", "/s"],
  ["hosts.web1.load.1m", ""],
  ["hosts.web1.memory.used", "B"],
  ["hosts.web1.memory.swap.used_percent", "%"],
  ["hosts.web1.network.eth0.received_bytes", "B/s"],
  ["averageSeries(hosts.*.disk.sda.reads)", "/s"],
  ["prod.hosts.web.web1.cpu.user", "%"],
  ["prod.hosts.web.*.network.eth0.received_bytes", "B/s"],
  ["sent_bytes_total", "B"],
  ["hosts.web1.applications", ""],
])("the unit of %s is %j", (name, unit) => {
  expect(unitOf(name)).toBe(unit);
});

test("counts are exact", () => {
  expect(formatCount(12345678)).toBe("12,345,678");
});

test.each([
  [10, "10 s"],
  [60, "1 min"],
  [300, "5 min"],
  [5400, "90 min"],
  [864000, "10 days"],
  [86400, "1 day"],
  [63072000, "2 years"],
])("a length of %d seconds reads %j", (seconds, text) => {
  expect(plain(formatLength(seconds))).toBe(text);
});

const local = (text: string): number => new Date(text).getTime() / 1000;

test("a moment of today needs no day, one of another year needs its year", () => {
  const now = local("2026-11-21T14:00:00");
  expect(formatMoment(local("2026-11-21T13:59:50"), now)).toBe("13:59:50");
  expect(formatMoment(local("2026-11-20T13:59:50"), now)).toBe("20 Nov 13:59:50");
  expect(formatMoment(local("2025-01-02T03:04:05"), now)).toBe("2 Jan 2025 03:04:05");
});

test("ticks say as much as their distance needs", () => {
  expect(formatTick(local("2026-11-21T14:03:20"), 20)).toBe("14:03:20");
  expect(formatTick(local("2026-11-21T14:03:00"), 60)).toBe("14:03");
  expect(formatTick(local("2026-11-21T00:00:00"), 3600)).toBe("21 Nov");
  expect(formatTick(local("2026-11-01T00:00:00"), 30 * 86400)).toBe("Nov");
  expect(formatTick(local("2026-01-01T00:00:00"), 30 * 86400)).toBe("2026");
});
