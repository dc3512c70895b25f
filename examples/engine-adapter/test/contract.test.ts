import { after, describe, test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { requireRetention } from "@nidus/jobs-durable/backend";
import { backendContract, engineContract } from "@nidus/jobs-testkit/contracts";
import { tableEngine } from "../src/index.ts";
import { TableBackend } from "../src/table-backend.ts";

const db = await PGlite.create();
after(() => db.close());

// They wait more than they work, so they wait together.
describe("the backend of tableEngine", { concurrency: 16 }, () => {
  backendContract({
    test,
    createBackend: ({ leaseMs = 30_000, onError }) =>
      new TableBackend(db, { leaseMs, onError, retention: requireRetention({}) }),
    transaction: (body) => db.transaction((transaction) => body({ db: transaction })),
  });
});

describe("tableEngine", { concurrency: 16 }, () => {
  engineContract({ test, createEngine: (options) => tableEngine({ ...options, db }) });
});
