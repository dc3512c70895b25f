import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "@nidus/jobs-testkit";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngine, type PgBossLike, pgBossEngine } from "../src/index.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
const options = { connectionString, max: 3 };
const versions: Readonly<Record<10 | 12, (schema: string) => PgBossLike>> = {
  10: (schema) => new PgBoss10({ ...options, schema }),
  12: (schema) => new PgBoss12({ ...options, schema }),
};
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

/** An engine, and another program beside it in the same tables. */
async function open(version: keyof typeof versions): Promise<{
  engine: PgBossEngine;
  observer: JobRecorder;
  program: PgBossLike;
}> {
  const schema = `shared_${crypto.randomUUID().replaceAll("-", "")}`;
  const program = versions[version](schema);
  program.on("error", () => {});
  await program.start();
  closing.push(() => program.stop({ graceful: false }));
  const observer = recordingObserver();
  const runner = new ObservedJobRunner(observer);
  const engine = await pgBossEngine({ runner, boss: program, schema });
  closing.push(() => engine.close());
  return { engine, observer, program };
}

describe.skipIf(postgres === undefined).each([10, 12] as const)(
  "beside other programs on pg-boss %i",
  (version) => {
    it("counts their queues by the names that they have, whatever those look like", async () => {
      const { engine, observer, program } = await open(version);
      await engine.enqueue(defineJob({ name: "a name", run() {} }), undefined);
      const queue = "reports/20240101/daily";
      await program.createQueue(queue);
      await program.send(queue, {}, {});
      const { byName } = await engine.stats();
      expect(Object.keys(byName).sort()).toEqual(["a name", queue]);
      const backlog = await observer.opened[0]?.backlog();
      expect(backlog?.map(({ jobName }) => jobName).sort()).toEqual(["a name", queue]);
      expect(await engine.deadLetters()).toEqual([]);
    });

    it("counts a job that is named like a queue of pg-boss's own", async () => {
      const { engine, observer } = await open(version);
      const job = defineJob({ name: "__pgboss__digest", run() {} });
      await engine.enqueue(job, undefined);
      expect((await engine.stats()).byName[job.name]?.waiting).toBe(1);
      expect(await observer.opened[0]?.backlog()).toMatchObject([{ jobName: job.name, waiting: 1 }]);
      await engine.work({ jobs: [job] });
      await expect.poll(() => observer.outcomesOf(job.name)).toEqual(["succeeded"]);
    });
  },
);
