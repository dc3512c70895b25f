import { test } from "node:test";
import type { PGlite } from "@electric-sql/pglite";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import type { JobBackend } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { backendContract, engineContract } from "@nidus/jobs-testkit/contracts";
import { type SqlDatabase, tableEngine } from "../src/index.ts";
import type { TableBackend, TableEnqueueOptions } from "../src/table-backend.ts";
import type { TableJob } from "../src/table-consumer.ts";

// Shows code that must compile and, by `@ts-expect-error`, code that must not. This file is compiled and never run.

declare const pglite: PGlite;
declare const backend: TableBackend;
const runner = new ObservedJobRunner();
const sendDigest = defineJob<{ to: string }>({ name: "send_digest", run() {} });

// The real library fits the smallest interface of it that the engine needs, and so does its transaction.
export const database: SqlDatabase = pglite;
await pglite.transaction((transaction) => {
  const db: SqlDatabase = transaction;
  return engine.enqueue(sendDigest, { to: "ada" }, { db });
});

// The backend is one of its own jobs and options, and one for the contracts.
export const own: JobBackend<TableJob, TableEnqueueOptions> = backend;
backendContract({ test, createBackend: () => backend });
engineContract({ test, createEngine: (options) => tableEngine({ ...options, db: pglite }) });

// The factory makes what every application works with.
const engine = await tableEngine({ runner, db: pglite, leaseMs: 1_000, retainSucceededMs: 1 });
export const forApplications: JobEngine = engine;

// @ts-expect-error A database is needed.
await tableEngine({ runner });
// @ts-expect-error A connection string is no database.
await tableEngine({ runner, db: "postgres://localhost" });
// @ts-expect-error An option that the engine does not have.
await tableEngine({ runner, db: pglite, poll: 50 });
// @ts-expect-error A payload that does not fit the job.
await engine.enqueue(sendDigest, { to: 7 });
// @ts-expect-error An enqueue option of another engine.
await engine.enqueue(sendDigest, { to: "ada" }, { client: pglite });
