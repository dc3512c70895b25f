import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import { defineJob } from "@nidus/jobs-durable";
import { testing } from "@nidus/jobs-testkit";
import { type TableEngineOptions, tableEngine } from "../src/index.ts";

// Tests what the contracts cannot know: the options, the retention, and the content of the database.

const task = defineJob<string>({ name: "task", run() {} });
const runner = testing("table").jobRunner();

test("refuses wrong options, and opens nothing", async () => {
  const db = { query: () => Promise.reject(new Error("the database was asked")) };
  const refused = async (more: object): Promise<void> => {
    const options = { runner, db, ...more } as TableEngineOptions;
    await assert.rejects(tableEngine(options), /^(Type|Range)Error: /);
  };
  await refused({ db: {} });
  await refused({ leaseMs: 99 });
  await refused({ leaseMs: "1000" });
  await refused({ retainSucceededMs: 0 });
  await refused({ lease: 1_000 });
  await assert.rejects(tableEngine({ runner, db }), /the database was asked/);
});

test("refuses a transaction that is none", async () => {
  const db = await PGlite.create();
  await using engine = await tableEngine({ runner, db });
  await assert.rejects(engine.enqueue(task, "a", { db: {} as never }), /TypeError: expected `db`/);
  assert.equal((await engine.stats()).waiting, 0);
});

test("keeps jobs in the folder of the database, for the next process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "table-"));
  try {
    const first = await PGlite.create(folder);
    const engine = await tableEngine({ runner, db: first });
    await engine.enqueue(task, "kept");
    await engine.close();
    await first.close();
    const second = await PGlite.create(folder);
    await using again = await tableEngine({ runner, db: second });
    assert.equal((await again.stats()).waiting, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("deletes what was retained for long enough, and leaves what waits", async () => {
  const db = await PGlite.create();
  const engine = await tableEngine({ runner, db });
  const { id } = await engine.enqueue(task, "cancelled");
  await engine.cancel(id);
  await engine.enqueue(task, "waits");
  await engine.close();
  const endedAt = (await db.query<{ ended_at: Date }>("SELECT ended_at FROM jobs WHERE id = $1", [id]))
    .rows[0];
  while (Date.now() <= Number(endedAt?.ended_at) + 2) await pause(1);
  await using again = await tableEngine({ runner, db, retainSucceededMs: 1 });
  const { cancelled, waiting } = await again.stats();
  assert.deepEqual({ cancelled, waiting }, { cancelled: 0, waiting: 1 });
});
