import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { AsyncJobQueue, asyncJob, JobQueue } from "@nidus/jobs-core";
import { expect, onTestFinished, test, vi } from "vitest";
import type { DigestRunReport } from "../src/digest-run.ts";
import { createService, type ServiceOptions } from "../src/service.ts";

async function serve(options: Partial<ServiceOptions>): Promise<string> {
  const server = createService({
    metrics: async (_request, response) => void response.end("metrics"),
    stopping: new AbortController().signal,
    runDigests: () => Promise.reject(new Error("unexpected")),
    ...options,
  }).listen(0, "127.0.0.1");
  // Only the tested code closes idle connections.
  server.keepAliveTimeout = 0;
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const post = (url: string) => fetch(`${url}/digests`, { method: "POST" });

async function reportOf(run: () => Promise<void>): Promise<DigestRunReport> {
  const queue = new AsyncJobQueue();
  queue.push(asyncJob("send_digest", run));
  return { reindex: new JobQueue().drain(), digests: await queue.drain() };
}

test("a report counts completed jobs, and gives the reason of each failure", async () => {
  const url = await serve({ runDigests: () => reportOf(() => Promise.reject(new Error("no"))) });
  const nothing = { completed: 0, failed: [], cancelled: 0, notStarted: 0, wasAborted: false };
  const response = await post(url);
  expect([response.status, await response.json()]).toEqual([
    200,
    { reindex: nothing, digests: { ...nothing, failed: [{ jobName: "send_digest", reason: "no" }] } },
  ]);
});

test.each([
  [new Error("the disk is full"), "the disk is full"],
  ["not an error", "the digests could not be run"],
  [undefined, "the digests could not be run"],
])("a run that fails as a whole with %o is a 500, and the next request runs again", async (reason, error) => {
  const runDigests = vi
    .fn<ServiceOptions["runDigests"]>()
    .mockRejectedValueOnce(reason)
    .mockImplementation(() => reportOf(async () => {}));
  const url = await serve({ runDigests });
  const response = await post(url);
  expect([response.status, await response.json()]).toEqual([500, { error }]);
  expect((await post(url)).status).toBe(200);
});

test("once it is stopping, it starts no run, and its health check says so", async () => {
  const runDigests = vi.fn<ServiceOptions["runDigests"]>();
  const url = await serve({ stopping: AbortSignal.abort(), runDigests });
  const [run, health] = [await post(url), await fetch(`${url}/healthz`)];
  expect([run.status, await run.json()]).toEqual([503, { error: "the service is stopping" }]);
  expect([health.status, await health.json()]).toEqual([503, { status: "stopping" }]);
  expect(runDigests).not.toHaveBeenCalled();
});

test("once it is stopping, a kept-alive connection ends with the answer", async () => {
  const url = await serve({ stopping: AbortSignal.abort() });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const outgoing = request(`${url}/healthz`, { agent }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const closed = once(response.socket, "close");
  response.resume();
  await closed;
});

test("the metrics handler gets /metrics with any method, and nothing else", async () => {
  const url = await serve({});
  expect(await (await fetch(`${url}/metrics?x`, { method: "PUT" })).text()).toBe("metrics");
  expect((await fetch(`${url}/metric`)).status).toBe(404);
});

/** The answer to a request with these headers, which `fetch` would not send. */
async function statusOf(url: string, headers: Record<string, string>, path = "/healthz", method = "GET") {
  const outgoing = request(`${url}${path}`, { method, headers }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

const foreign: [what: string, headers: Record<string, string>][] = [
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
];

test.each(foreign)(
  "a request that %s is a 403 on every route, and starts nothing",
  async (_what, headers) => {
    const runDigests = vi.fn<ServiceOptions["runDigests"]>();
    const metrics = vi.fn<ServiceOptions["metrics"]>();
    const url = await serve({ runDigests, metrics });
    for (const path of ["/digests", "/metrics", "/healthz", "/", "/nothing"]) {
      for (const method of ["GET", "POST", "HEAD", "OPTIONS"]) {
        expect(await statusOf(url, headers, path, method)).toBe(403);
      }
    }
    expect(runDigests).not.toHaveBeenCalled();
    expect(metrics).not.toHaveBeenCalled();
  },
);

test.each<[what: string, headers: Record<string, string>]>([
  ["names the address", { host: "127.0.0.1:3000" }],
  ["names localhost, in any case", { host: "LocalHost" }],
  ["names the other loopback address", { host: "[::1]:3000" }],
  [
    "comes from a page of its own",
    { host: "localhost:1", origin: "http://localhost:1", "sec-fetch-site": "same-origin" },
  ],
  ["was typed by somebody", { "sec-fetch-site": "none" }],
])("a request that %s is answered", async (_what, headers) => {
  expect(await statusOf(await serve({}), headers)).toBe(200);
});
