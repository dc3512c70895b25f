import { setTimeout as pause } from "node:timers/promises";
import { defineJob } from "@nidus/jobs-durable";
import type { NewJob } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import type { SqlDatabase } from "../../src/database/pg-boss-like.ts";
import { type PgBossEngine, pgBossEngine } from "../../src/index.ts";
import { JobInserter } from "../../src/store/job-inserter.ts";
import type { QueueCreator } from "../../src/store/queue-creator.ts";
import type { QueueStatements } from "../../src/store/queue-statements.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

const job: NewJob = {
  id: "01a22375-0304-7000-9c2f-d09cf5d472c0",
  name: "new",
  envelopeText: "{}",
  runAt: undefined,
  maxAttempts: 1,
  priority: 0,
  hasIdempotencyKey: false,
  uniqueKey: undefined,
  uniqueForMs: undefined,
  retainMs: undefined,
};

const statements = { insertOne: () => "insert", findQueue: "find" } as unknown as QueueStatements;
const queues = {} as QueueCreator;

/** Makes a database that refuses the first statements, as PostgreSQL does if it sees a new queue before its table. */
function refusing(times: number, error: object): { db: SqlDatabase; statements: string[] } {
  const seen: string[] = [];
  const db: SqlDatabase = {
    async executeSql(text) {
      seen.push(text);
      if (seen.length <= times) throw Object.assign(new Error("refused"), error);
      return { rows: [{ last_us: "1" }] };
    },
  };
  return { db, statements: seen };
}

describe("a job whose queue another process is creating", () => {
  it("is stored once the queue is created, if its table is not seen yet", async () => {
    const { db, statements: seen } = refusing(1, { code: "23514" });
    const stored = await new JobInserter(db, db, statements, queues).insert([job], undefined);
    expect(stored).toEqual([{ id: job.id, isDuplicate: false }]);
    expect(seen).toEqual(["insert", "find", "insert"]);
  });

  it.each([{ code: "23514", constraint: "own_check" }, { code: "40001" }])(
    "rejects at once for %o",
    async (error) => {
      const { db, statements: seen } = refusing(1, error);
      await expect(
        new JobInserter(db, db, statements, queues).insert([job], undefined),
      ).rejects.toMatchObject(error);
      expect(seen).toHaveLength(1);
    },
  );
});

describe.skipIf(postgres === undefined)(
  "the first jobs of a name, which several processes enqueue at once",
  () => {
    const names = Array.from({ length: 40 }, (_, index) => `new_${index}`);
    const engines: PgBossEngine[] = [];
    const pool = new pg.Pool({ connectionString, max: 5 });

    afterAll(async () => {
      await Promise.all([...engines.map((engine) => engine.close()), pool.end()]);
    });

    async function enqueueInTransaction(engine: PgBossEngine, name: string): Promise<void> {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
        await engine.enqueue(defineJob({ name, run() {} }), undefined, { db });
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    }

    it("are all stored, by the engines' connections and in callers' transactions", async () => {
      for (let process = 0; process < 5; process++) {
        const runner = new ObservedJobRunner();
        engines.push(await pgBossEngine({ runner, connectionString, maxConnections: 4 }));
      }
      for (const name of names) {
        // Some come before the queue, some while it is created, and some after.
        const calls = engines.flatMap((engine) => [
          pause(Math.random() * 40).then(() => engine.enqueue(defineJob({ name, run() {} }))),
          pause(Math.random() * 40).then(() => enqueueInTransaction(engine, name)),
        ]);
        await Promise.all(calls);
      }
      expect((await engines[0]?.stats())?.waiting).toBe(names.length * engines.length * 2);
    });
  },
);
