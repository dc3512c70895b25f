import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine, workJob } from "../src/open-engine.ts";
import type { EngineTask } from "../src/task.ts";
import { buildProgram } from "./support/build.ts";
import { Child } from "./support/child.ts";
import { times } from "./support/ledger.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const awayMs = 3_000;
const shortLeaseMs = 1_500;

const kinds = [
  { name: "BullMQ", kind: "bullmq", start: redisToKill },
  { name: "pg-boss", kind: "pg-boss", start: postgresToKill },
] as const;

const leases = [
  { lease: "outlasts the outage", leaseMs: 15_000 },
  { lease: "ends in the outage", leaseMs: shortLeaseMs },
];

describe("a lease", () => {
  beforeAll(buildProgram);

  for (const { name, kind, start } of kinds) {
    for (const { lease, leaseMs } of leases) {
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
        // Or it has run again, which is what must not be.
        await Promise.any([worker.says("settled", since), worker.says("ran", since)]);
        // Longer than it takes for a job without a lease to be delivered again.
        await pause(2 * shortLeaseMs);
        expect(await times(log, `ran ${id}`)).toBe(1);
        expect(await times(log, `succeeded ${id}`)).toBe(1);
        await worker.stop();
      });
    }

    it.concurrent(`is renewed: a long job runs once, though two look for work, on ${name}`, async ({
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
      const { id } = await engine.enqueue(workJob(), { runMs: 4 * shortLeaseMs });
      await engine.close();
      await Promise.any(workers.map((worker) => worker.says("settled")));
      await pause(2 * shortLeaseMs);
      await Promise.all(workers.map((worker) => worker.stop()));
      expect(await times(log, `started ${id}`)).toBe(1);
      expect(await times(log, `succeeded ${id}`)).toBe(1);
    });
  }
});
