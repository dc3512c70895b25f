import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openEngine, workJob } from "../src/open-engine.ts";
import type { EngineTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { times } from "./support/ledger.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** Long enough for a busy machine to renew it while its server answers. */
const shortLeaseMs = 5_000;

const kinds = [
  { name: "BullMQ", kind: "bullmq", start: redisToKill },
  { name: "pg-boss", kind: "pg-boss", start: postgresToKill },
] as const;

const leases = [
  { lease: "outlasts the outage", leaseMs: 60_000, awayMs: 1_000 },
  { lease: "ends in the outage", leaseMs: shortLeaseMs, awayMs: shortLeaseMs + 1_000 },
];

/** Requires that the only job has succeeded. The store does not deliver an ended job again. */
async function requireEnded(engineTask: EngineTask): Promise<void> {
  await using engine = await openEngine(engineTask, () => {});
  expect(await engine.stats()).toMatchObject({ succeeded: 1, running: 0, waiting: 0, scheduled: 0 });
}

describe("a lease", () => {
  for (const { name, kind, start } of kinds) {
    for (const { lease, leaseMs, awayMs } of leases) {
      it.concurrent(`that ${lease} lets no job run again whose server died before it was settled, on ${name}`, async ({
        onTestFinished,
        skip,
      }) => {
        const server = await start();
        if (server === undefined) return skip();
        onTestFinished(() => server.stop());
        const log = join(await temporaryFolder(onTestFinished), "worker.log");
        const engineTask: EngineTask = { kind, place: server.url, space: "settling", leaseMs };
        const engine = await openEngine(engineTask, () => {});
        const { id } = await engine.enqueue(workJob(), { runMs: 0, waitsForWord: true });
        await engine.close();
        const worker = new Child({ role: "work", engine: engineTask, log, concurrency: 2 }, onTestFinished);
        await worker.says("ran");
        await server.kill();
        const since = worker.reports.length;
        worker.ask("return");
        await pause(awayMs);
        await server.start();
        // Otherwise the job has run again, which must not happen.
        await Promise.any([worker.says("settled", since), worker.says("ran", since)]);
        await requireEnded(engineTask);
        await worker.stop();
        expect(await times(log, `ran ${id}`)).toBe(1);
        expect(await times(log, `succeeded ${id}`)).toBe(1);
      });
    }

    it.concurrent(`is renewed: a long job runs once while a second worker looks for work, on ${name}`, async ({
      onTestFinished,
      skip,
    }) => {
      const server = await start();
      if (server === undefined) return skip();
      onTestFinished(() => server.stop());
      const log = join(await temporaryFolder(onTestFinished), "workers.log");
      const engineTask: EngineTask = { kind, place: server.url, space: "long", leaseMs: shortLeaseMs };
      const workers = [1, 2].map(
        () => new Child({ role: "work", engine: engineTask, log, concurrency: 2 }, onTestFinished),
      );
      await Promise.all(workers.map((worker) => worker.says("ready")));
      const engine = await openEngine(engineTask, () => {});
      const { id } = await engine.enqueue(workJob(), { runMs: 2.5 * shortLeaseMs });
      await engine.close();
      await Promise.any(workers.map((worker) => worker.says("settled")));
      await requireEnded(engineTask);
      await Promise.all(workers.map((worker) => worker.stop()));
      expect(await times(log, `started ${id}`)).toBe(1);
      expect(await times(log, `succeeded ${id}`)).toBe(1);
    });
  }
});
