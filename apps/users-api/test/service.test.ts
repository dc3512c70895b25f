import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { jobDashboard } from "@nidus/jobs-dashboard";
import { EngineUnavailableError, EnqueuedInPartError, memoryEngine } from "@nidus/jobs-durable";
import { production } from "@nidus/observability";
import { expect, onTestFinished, test, vi } from "vitest";
import type { App } from "../src/app.ts";
import { startService } from "../src/service.ts";

/** Serves an application that does nothing but what a test gives it. */
async function serve(enqueueRun: App["enqueueRun"] = () => Promise.reject(new Error("unexpected"))) {
  const observability = production("test").prometheus();
  const engine = memoryEngine({ runner: observability.jobRunner() });
  const app = { enqueueRun, engine, observability, page: jobDashboard() };
  const service = await startService(app as unknown as App, 0);
  onTestFinished(() => service[Symbol.asyncDispose]());
  return service;
}

const post = (url: string) => fetch(`${url}/digests`, { method: "POST" });

test("POST /digests answers at once, with the run and where to see it", async () => {
  const { url } = await serve(async () => ({ runId: "r", jobs: 12, duplicates: 3 }));
  const response = await post(url);
  expect([response.status, await response.json()]).toEqual([
    202,
    { status: "enqueued", runId: "r", jobs: 12, duplicates: 3, page: "/jobs/" },
  ]);
});

test("a run that fails as a whole is a 500 with the reason", async () => {
  const { url } = await serve(() => Promise.reject(new Error("the disk is full")));
  const response = await post(url);
  expect([response.status, await response.json()]).toEqual([500, { status: "the disk is full" }]);
});

test.each([
  ["before a job was stored", (away: Error) => away],
  ["between two jobs", (away: Error) => new EnqueuedInPartError([undefined], away)],
])("a store that goes away %s is a 503 that names it", async (_when, errorOf) => {
  const { url } = await serve(() =>
    Promise.reject(errorOf(new EngineUnavailableError("Redis is unreachable"))),
  );
  const response = await post(url);
  const { status } = (await response.json()) as { status: string };
  expect([response.status, status]).toEqual([503, expect.stringContaining("Redis is unreachable")]);
});

test("a service that stops answers 503 to health checks and enqueues nothing, and its metrics can be read", async () => {
  const enqueueRun = vi.fn<App["enqueueRun"]>();
  const { url, stopping } = await serve(enqueueRun);
  stopping.abort();
  for (const response of [await fetch(`${url}/healthz`), await post(url)])
    expect([response.status, await response.json()]).toEqual([503, { status: "stopping" }]);
  expect(enqueueRun).not.toHaveBeenCalled();
  for (const path of ["/metrics", "/jobs/"]) expect((await fetch(url + path)).status).toBe(200);
});

test("/ leads to the page, which is there", async () => {
  const { url } = await serve();
  const response = await fetch(url);
  expect(response.url).toBe(`${url}/jobs/`);
  expect(await response.text()).toContain("<!doctype html>");
});

test("other paths are not found, and other methods are refused", async () => {
  const { url } = await serve();
  for (const path of ["/metric", "/jobsx", "/__proto__"]) expect((await fetch(url + path)).status).toBe(404);
  expect((await fetch(`${url}/digests`)).status).toBe(405);
  expect((await fetch(`${url}/healthz?x`)).status).toBe(200);
  expect((await fetch(`${url}/metrics`, { method: "HEAD" })).status).toBe(200);
});

/** The answer to a request with these headers, which `fetch` would not send. */
async function statusOf(url: string, headers: Record<string, string>, path = "/healthz", method = "GET") {
  const outgoing = request(`${url}${path}`, { method, headers }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

test.each<[what: string, headers: Record<string, string>]>([
  ["names another host", { host: "evil.example" }],
  ["names a host that only begins like ours", { host: "127.0.0.1.evil.example" }],
  ["names a host that only ends like ours", { host: "evil-localhost:80" }],
  ["names another address of this machine", { host: "127.0.0.2" }],
  ["names a host with a user", { host: "evil.example@localhost" }],
  ["comes from another site", { "sec-fetch-site": "cross-site" }],
  ["comes from another port of this site", { "sec-fetch-site": "same-site" }],
  ["comes from a page of another origin", { origin: "http://evil.example" }],
  ["comes from a page of another port", { host: "127.0.0.1:3000", origin: "http://127.0.0.1:3001" }],
  ["comes from a page that hides its origin", { origin: "null" }],
])("a request that %s is a 403 on every route, and starts nothing", async (_what, headers) => {
  const enqueueRun = vi.fn<App["enqueueRun"]>();
  const { url } = await serve(enqueueRun);
  for (const path of ["/digests", "/metrics", "/healthz", "/", "/jobs/", "/nothing"]) {
    for (const method of ["GET", "POST", "HEAD", "OPTIONS"]) {
      expect(await statusOf(url, headers, path, method)).toBe(403);
    }
  }
  expect(enqueueRun).not.toHaveBeenCalled();
});

test.each<[what: string, headers: Record<string, string>]>([
  ["names the address", { host: "127.0.0.1:3000" }],
  ["names localhost, in any case", { host: "LocalHost" }],
  ["names the other loopback address", { host: "[::1]:3000" }],
  [
    "comes from a page of its own",
    { host: "localhost:1", origin: "http://localhost:1", "sec-fetch-site": "same-origin" },
  ],
  ["comes from the address bar", { "sec-fetch-site": "none" }],
])("a request that %s is answered", async (_what, headers) => {
  expect(await statusOf((await serve()).url, headers)).toBe(200);
});
