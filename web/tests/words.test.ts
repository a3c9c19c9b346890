import { expect, test } from "vitest";

import type { Health } from "../src/api";
import { carbonAddress } from "../src/overview/carbon-address";
import { say } from "../src/parts/health-words";

const health = (change: Partial<Health>) => ({
  ok: true as const,
  value: {
    status: "ok" as const,
    version: "1",
    series: 1,
    unsafe_samples: 0,
    unsafe_s: 0,
    problems: [],
    notices: [],
    ...change,
  },
});

test("a server that keeps its promise is ok, even while samples are on their way to the disk", () => {
  expect(say(health({}))).toMatchObject({ tone: "good", text: "ok" });
  expect(say(health({ unsafe_samples: 500, unsafe_s: 0.2 }))).toMatchObject({ tone: "good", text: "ok" });
});

test("samples that are late on the disk are told", () => {
  expect(say(health({ unsafe_samples: 42, unsafe_s: 9 }))).toMatchObject({ tone: "late", text: "42 not yet on disk" });
});

test("a degraded server says its problems", () => {
  const said = say(health({ status: "degraded", problems: ["the disk is full"] }));
  expect(said).toMatchObject({ tone: "bad", text: "degraded" });
  expect(said.detail).toContain("the disk is full");
});

test("another host that is ill is told, and the server is ok", () => {
  const said = say(health({ notices: ["cannot poll munin tcp://web1:4949: refused"] }));
  expect(said).toMatchObject({ tone: "good", text: "ok" });
  expect(said.detail).toContain("web1");
});

test("a server that does not answer is told from one that was not asked yet", () => {
  expect(say({ ok: false, error: "gone", aborted: false })).toEqual({ tone: "bad", text: "no answer", detail: "gone" });
  expect(say(null).tone).toBe("unknown");
});

test.each([
  [["statsd udp://127.0.0.1:8125", "carbon tcp://127.0.0.1:2103"], "127.0.0.1", "2103"],
  [["carbon tcp://0.0.0.0:2003"], "metrics.example", "2003"],
  [["carbon tcp://[::]:2003"], "metrics.example", "2003"],
  [["carbon tcp://[::1]:2003"], "::1", "2003"],
  [["carbon udp://127.0.0.1:2003"], "localhost", "2003"],
  [[], "localhost", "2003"],
])("the first number goes to where carbon lines are taken: %j", (sources, host, port) => {
  expect(carbonAddress(sources, "metrics.example")).toEqual({ host, port });
});
