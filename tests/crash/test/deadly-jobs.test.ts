import { join } from "node:path";
import { prepareEmbeddedFolder } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { openEngine, workJob } from "../src/open-engine.ts";
import type { Work } from "../src/payload.ts";
import type { EngineTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { times } from "./support/ledger.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";
import { type OnFinished, temporaryFolder } from "./support/temporary-folder.ts";

/** Long enough that only a death loses the lease, even on a busy machine. */
const leaseMs = 3_000;

/** Enqueues one job and starts workers until the job has ended, each worker after the death of the one before. */
async function runToItsEnd(
  engineTask: EngineTask,
  folder: string,
  payload: Work,
  maxAttempts: number,
  onFinished: OnFinished,
): Promise<{ id: string; log: string; deaths: number }> {
  const engine = await openEngine(engineTask, () => {});
  const { id } = await engine.enqueue(workJob(), payload, { maxAttempts });
  await engine.close();
  const log = join(folder, `${id}.log`);
  for (let deaths = 0; ; deaths++) {
    const worker = new Child({ role: "work", engine: engineTask, log, concurrency: 1 }, onFinished);
    await worker.says("ready");
    const settled = worker.says("settled").then(
      () => true,
      () => false,
    );
    if (await settled) {
      await worker.stop();
      return { id, log, deaths };
    }
    worker.requireSound();
  }
}

describe("a job that kills its worker", async () => {
  const [redis, postgres] = await Promise.all([redisToKill(), postgresToKill()]);
  afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

  const kinds = [
    { name: "BullMQ", kind: "bullmq", place: redis?.url },
    { name: "pg-boss", kind: "pg-boss", place: postgres?.url },
    { name: "PGlite", kind: "pglite", place: "" },
  ] as const;
  for (const { name, kind, place } of kinds) {
    it.skipIf(place === undefined).concurrent(
      `runs to success after two deaths, and is given up after its last attempt, on ${name}`,
      async ({ onTestFinished }) => {
        const folder = await temporaryFolder(onTestFinished);
        const engineTask: EngineTask = {
          kind,
          place: place || join(folder, "jobs"),
          space: "deadly",
          leaseMs,
        };

        if (kind === "pglite") await prepareEmbeddedFolder(engineTask.place);
        const twice = await runToItsEnd(
          engineTask,
          folder,
          { runMs: 10, deadlyAttempts: 2 },
          5,
          onTestFinished,
        );
        expect(twice.deaths).toBe(2);
        expect(await times(twice.log, `started ${twice.id}`)).toBe(3);
        expect(await times(twice.log, `succeeded ${twice.id}`)).toBe(1);

        const always = await runToItsEnd(
          engineTask,
          folder,
          { runMs: 10, deadlyAttempts: 99 },
          2,
          onTestFinished,
        );
        expect(always.deaths).toBe(2);
        expect(await times(always.log, `started ${always.id}`)).toBe(2);
        expect(await times(always.log, `dead-lettered ${always.id}`)).toBe(1);
        await using engine = await openEngine(engineTask, () => {});
        expect(await engine.deadLetters()).toEqual([
          expect.objectContaining({
            id: always.id,
            attempts: 2,
            error: expect.stringMatching(/worker died/),
          }),
        ]);
        expect(await engine.stats()).toMatchObject({ succeeded: 1, deadLettered: 1, running: 0, waiting: 0 });
      },
    );
  }
});
