import { after, describe, test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { requireRetention } from "@nidus/jobs-durable/backend";
import { backendContract, engineContract } from "@nidus/jobs-testkit/contracts";
import { tableEngine } from "../src/index.ts";
import { TableBackend } from "../src/table-backend.ts";

const db = await PGlite.create();
const empty = await db.dumpDataDir("none");
const databases = [db];
after(() => Promise.all(databases.map((each) => each.close())));

/** A table is cleaned with one retention for all its jobs, so a shorter one needs another database. */
async function anotherDatabase(): Promise<PGlite> {
  const database = await PGlite.create({ loadDataDir: empty });
  databases.push(database);
  return database;
}

// They wait more than they work, so they wait together.
describe("the backend of tableEngine", { concurrency: 16 }, () => {
  backendContract({
    test,
    createBackend: ({ leaseMs = 30_000, onError }) =>
      new TableBackend(db, { leaseMs, onError, retention: requireRetention({}) }),
    createWithRetention: async ({ onError, ...retention }) =>
      new TableBackend(await anotherDatabase(), { leaseMs: 30_000, onError, retention }),
    transaction: (body) => db.transaction((transaction) => body({ db: transaction })),
  });
});

describe("tableEngine", { concurrency: 16 }, () => {
  engineContract({
    test,
    createEngine: (options) => tableEngine({ ...options, db }),
    createWithRetention: async (options) => tableEngine({ ...options, db: await anotherDatabase() }),
  });
});
