import type { NewJob } from "@nidus/jobs-durable/backend";
import { describe, expect, it } from "vitest";
import type { SqlDatabase } from "../../src/database/pg-boss-like.ts";
import { JobInserter } from "../../src/store/job-inserter.ts";
import type { QueueCreator } from "../../src/store/queue-creator.ts";
import type { QueueStatements } from "../../src/store/queue-statements.ts";

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

const statements = { insertOne: () => "insert one" } as unknown as QueueStatements;
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
  it("is stored by the next try if its table is not seen yet", async () => {
    const { db, statements: seen } = refusing(2, { code: "23514" });
    const stored = await new JobInserter(db, db, statements, queues).insert([job], undefined);
    expect(stored).toEqual([{ id: job.id, isDuplicate: false }]);
    expect(seen).toHaveLength(3);
  });

  it("rejects in the caller's transaction, which has failed", async () => {
    const own = refusing(0, {});
    const callers = refusing(1, { code: "23514" });
    const inserter = new JobInserter(own.db, own.db, statements, queues);
    await expect(inserter.insert([job], callers.db)).rejects.toMatchObject({ code: "23514" });
    expect(callers.statements).toHaveLength(1);
    expect(own.statements).toEqual([]);
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
