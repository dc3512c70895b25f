import { asyncJob, job } from "@nidus/jobs-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type OtelPipeline, otelJobObserver } from "../../src/index.ts";
import { otelPipeline } from "../../src/sdk/index.ts";
import { type Answer, closedUrl, startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { strictRunner } from "../support/runner.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

const flushTimeoutMs = 150;
/** How much longer a busy machine may take, in milliseconds. Far below the timeout that would show if the bound did not hold. */
const graceMs = 60_000;
const exportTimeoutMs = 300_000;

const accept: Answer = (response) => response.writeHead(200).end();
const hang: Answer = () => {};
const busy: Answer = (response) => response.writeHead(503).end();
const reset: Answer = (response) => response.destroy();

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function runJobs(pipeline: OtelPipeline, count: number): Promise<void> {
  const runner = strictRunner(otelJobObserver({ tracer: pipeline.tracer }));
  for (let index = 0; index < count; index++) {
    if (index % 2 === 0) runner.run(job("reindex", () => {}));
    else await runner.runAsync(asyncJob("digest", async () => {}));
  }
}

interface Failing extends AsyncDisposable {
  readonly url: string;
}

const collectors: [string, () => Promise<Failing>][] = [
  ["is not there", async () => ({ url: await closedUrl(), async [Symbol.asyncDispose]() {} })],
  ["accepts and never answers", () => startCollector(hang)],
  ["answers 503", () => startCollector(busy)],
  ["breaks every connection", () => startCollector(reset)],
];

describe.each(collectors)("a collector that %s", (_case, start) => {
  test("lets jobs finish while its queue overflows", async () => {
    await using collector = await start();
    const options = { serviceName: "users-api", endpoint: collector.url, maxQueueSize: 16 };
    await using pipeline = otelPipeline({ ...options, flushTimeoutMs, exportTimeoutMs });

    expect(await millisecondsOf(() => runJobs(pipeline, 1_000))).toBeLessThan(graceMs);
  });

  test("lets forceFlush() and shutdown() return in bounded time, also when repeated", async () => {
    await using collector = await start();
    const options = { serviceName: "users-api", endpoint: collector.url };
    const pipeline = otelPipeline({ ...options, flushTimeoutMs, exportTimeoutMs });
    const bound = flushTimeoutMs + graceMs;

    await runJobs(pipeline, 10);
    expect(await millisecondsOf(() => pipeline.forceFlush())).toBeLessThan(bound);
    expect(await millisecondsOf(() => pipeline.forceFlush())).toBeLessThan(bound);
    await runJobs(pipeline, 10);
    expect(await millisecondsOf(() => pipeline.shutdown())).toBeLessThan(bound);
    expect(await millisecondsOf(() => pipeline.shutdown())).toBeLessThan(bound);
    expect(await millisecondsOf(() => pipeline.forceFlush())).toBeLessThan(bound);
  });

  test("lets jobs finish after shutdown()", async () => {
    await using collector = await start();
    const options = { serviceName: "users-api", endpoint: collector.url };
    const pipeline = otelPipeline({ ...options, flushTimeoutMs, exportTimeoutMs });
    await runJobs(pipeline, 10);

    await pipeline.shutdown();

    expect(await millisecondsOf(() => runJobs(pipeline, 100))).toBeLessThan(graceMs);
  });
});

describe("the buffer", () => {
  test("is at most one batch in flight and one queue behind it", async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    await using collector = await startCollector(async (response, request) => {
      await gate;
      accept(response, request);
    });
    const options = { serviceName: "users-api", endpoint: collector.url, maxQueueSize: 32 };
    const pipeline = otelPipeline({ ...options, flushTimeoutMs: 10_000 });

    await runJobs(pipeline, 10_000);
    open();
    await pipeline.shutdown();

    expect(collector.spans.length).toBeGreaterThanOrEqual(32);
    expect(collector.spans.length).toBeLessThanOrEqual(64);
  });

  test("stays bounded when flushes pile up behind a collector that never answers", async () => {
    await using collector = await startCollector(hang);
    const options = { serviceName: "users-api", endpoint: collector.url, maxQueueSize: 8 };
    const pipeline = otelPipeline({ ...options, flushTimeoutMs: 1, exportTimeoutMs });

    for (let round = 0; round < 200; round++) {
      await runJobs(pipeline, 8);
      await pipeline.forceFlush();
    }
    await pipeline.shutdown();

    // The exporter of the SDK sends at most this many requests at once.
    expect(collector.requests.length).toBeLessThanOrEqual(30);
    expect(collector.requests.length).toBeGreaterThan(0);
  });

  test("is sent to a collector that comes back", async () => {
    let isBusy = true;
    await using collector = await startCollector((response, request) => {
      (isBusy ? busy : accept)(response, request);
    });
    const options = { serviceName: "users-api", endpoint: collector.url };
    await using pipeline = otelPipeline({ ...options, flushTimeoutMs: graceMs, exportTimeoutMs: graceMs });

    await runJobs(pipeline, 2);
    const flushing = pipeline.forceFlush();
    await collector.received(1);
    isBusy = false;
    await flushing;
    await runJobs(pipeline, 4);
    await pipeline.forceFlush();

    // The first two twice, since they were refused.
    expect(collector.spans.length).toBe(8);
  });
});
