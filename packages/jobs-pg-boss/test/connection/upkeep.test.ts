import { defineJob, PermanentJobError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importOn } from "../support/on-pg-boss.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
let admin: pg.Client;

beforeAll(async () => {
  admin = new pg.Client({ connectionString });
  if (postgres !== undefined) await admin.connect();
});

afterAll(async () => {
  if (postgres !== undefined) await admin.end();
  await postgres?.stop();
});

const job = defineJob<"fails" | "waits">({
  name: "looked-at",
  run(payload) {
    if (payload === "fails") throw new PermanentJobError("never");
  },
});

/** Makes a user who may only read the tables of a schema, and returns its connection string. */
async function readerOf(schema: string): Promise<string> {
  const user = `reader_${schema}`;
  await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'reads'`);
  await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO ${user}`);
  await admin.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${user}`);
  const url = new URL(connectionString);
  url.username = user;
  url.password = "reads";
  return url.href;
}

describe.skipIf(postgres === undefined).each(versions)(
  "an engine without upkeep, on pg-boss %i",
  (version) => {
    const fresh = (): string => `upkeep_${version}_${crypto.randomUUID().slice(0, 8)}`;
    const runner = new ObservedJobRunner();

    it("creates nothing in an empty database", async () => {
      const { pgBossEngine } = await importOn(version);
      const schema = fresh();
      await expect(pgBossEngine({ runner, connectionString, schema, upkeep: false })).rejects.toThrow(
        `the schema "${schema}" has no tables of pg-boss`,
      );
      const { rows } = await admin.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema]);
      expect(rows).toHaveLength(0);
    });

    it("reads a store as a user who may only read", async () => {
      const { pgBossEngine } = await importOn(version);
      const schema = fresh();
      await using service = await pgBossEngine({ runner, connectionString, schema, maxConnections: 3 });
      const { id } = await service.enqueue(job, "fails");
      const worker = await service.work({ jobs: [job] });
      await expect.poll(async () => (await service.stats()).deadLettered).toBe(1);
      await worker.stop();
      const waiting = await service.enqueue(job, "waits");
      await service.schedule(job, "0 3 * * *", "waits");

      const errors: unknown[] = [];
      await using engine = await pgBossEngine({
        ...{ runner, schema, upkeep: false, maxConnections: 2 },
        connectionString: await readerOf(schema),
        onError: (error) => errors.push(error),
      });
      expect(await engine.stats()).toMatchObject({ waiting: 1, scheduled: 1, deadLettered: 1 });
      expect(await engine.deadLetters()).toMatchObject([{ id, error: "never" }]);
      expect((await engine.jobs()).jobs).toHaveLength(3);
      expect(await engine.job(waiting.id)).toMatchObject({ state: "waiting" });
      expect(await engine.schedules()).toMatchObject([{ jobName: "looked-at" }]);
      expect(await engine.health()).toMatchObject({ isReachable: true });
      await expect(engine.cancel(waiting.id)).rejects.toThrow("permission denied");
      expect(errors).toEqual([]);
    });

    it("enqueues, works and cancels, and leaves the upkeep to others", async () => {
      const { pgBossEngine } = await importOn(version);
      const schema = fresh();
      await using service = await pgBossEngine({ runner, connectionString, schema, maxConnections: 3 });
      await using engine = await pgBossEngine({
        runner,
        connectionString,
        schema,
        maxConnections: 3,
        upkeep: false,
      });
      const { id } = await engine.enqueue(job, "waits", { runAt: new Date(Date.now() + 60_000) });
      expect(await engine.cancel(id)).toBe(true);
      await engine.work({ jobs: [job] });
      await service.enqueue(job, "waits");
      await expect.poll(() => service.stats()).toMatchObject({ succeeded: 1, cancelled: 1 });
    });
  },
);
