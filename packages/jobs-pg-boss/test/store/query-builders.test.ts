import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import knex from "knex";
import { CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { fromDrizzle, fromKnex, fromKysely } from "pg-boss-12";
import postgresJs from "postgres";
import { sharedPostgres } from "test-servers";
import { DataSource } from "typeorm";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine, type SqlDatabase } from "../../src/index.ts";
import { startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const url = postgres?.url ?? "";
afterAll(() => postgres?.stop());

/** Runs a body in a transaction of a library, and commits it unless the body rejects. */
type Transaction = (body: (db: SqlDatabase) => Promise<unknown>) => Promise<void>;

/** Each function opens its library and runs transactions with it until it is closed. */
const libraries: Readonly<
  Record<string, (use: (transaction: Transaction) => Promise<void>) => Promise<void>>
> = {
  async pg(use) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await use(async (body) => {
      await client.query("BEGIN");
      try {
        await body({
          executeSql: (text, values) => client.query(text, values),
        });
        await client.query("COMMIT");
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      }
    });
    await client.end();
  },
  async Kysely(use) {
    const db = new Kysely<object>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
    });
    await use((body) =>
      db.transaction().execute(async (trx) => {
        await body({
          // biome-ignore format: as the guide has it
          executeSql: async (text, values = []) => ({ rows: [...(await trx.executeQuery<object>(CompiledQuery.raw(text, values))).rows] }),
        });
      }),
    );
    await use((body) => db.transaction().execute(async (trx) => void (await body(fromKysely(trx)))));
    await db.destroy();
  },
  async Knex(use) {
    const db = knex({ client: "pg", connection: url });
    await use((body) =>
      db.transaction(async (trx) => {
        await body({
          executeSql: (text, values = []) => trx.raw(text.replace(/\$\d+/g, "?"), values),
        });
      }),
    );
    await use((body) => db.transaction(async (trx) => void (await body(fromKnex(trx)))));
    await db.destroy();
  },
  async Drizzle(use) {
    const pool = new pg.Pool({ connectionString: url });
    const db = drizzle(pool);
    await use((body) =>
      db.transaction(async (tx) => {
        await body({
          // biome-ignore format: as the guide has it
          executeSql: (text, values = []) => tx.execute(sql.join(text.split(/\$\d+/).flatMap((part, n) => (n === 0 ? [sql.raw(part)] : [sql`${values[n - 1]}`, sql.raw(part)])))),
        });
      }),
    );
    await use((body) => db.transaction(async (tx) => void (await body(fromDrizzle(tx, sql)))));
    await pool.end();
  },
  async TypeORM(use) {
    const source = await new DataSource({ type: "postgres", url }).initialize();
    await use((body) =>
      source.transaction(async (manager) => {
        await body({
          executeSql: async (text, values) => ({ rows: await manager.query(text, values) }),
        });
      }),
    );
    await source.destroy();
  },
  async "postgres.js"(use) {
    const db = postgresJs(url, { onnotice: () => {} });
    await use(async (body) => {
      await db.begin(async (sql) => {
        await body({
          executeSql: async (text, values = []) => ({ rows: await sql.unsafe(text, values) }),
        });
      });
    });
    await db.end();
  },
};

/** An engine on tables of its own, with one of the versions. */
async function useEngine(
  version: (typeof versions)[number],
  body: (engine: PgBossEngine) => Promise<void>,
): Promise<void> {
  const schema = `builders_${crypto.randomUUID().replaceAll("-", "")}`;
  const boss = await startBoss(version, url, schema);
  const engine = await pgBossEngine({ runner: new ObservedJobRunner(), boss, schema, onError: () => {} });
  await body(engine);
  await engine.close();
  await boss.stop({ graceful: false });
}

const job = defineJob<{ text: string }>({ name: "invoice?", run() {} });
const waiting = async (engine: JobEngine): Promise<number> =>
  (await engine.stats()).byName["invoice?"]?.waiting ?? 0;
/** A payload with texts that look like placeholders. */
const payload = { text: "a ? b $1 :name ?? '' \\? \u{1f600}" };

describe.skipIf(postgres === undefined).each(versions)(
  "`db` on pg-boss %s",
  { timeout: 60_000 },
  (version) => {
    it.each(Object.entries(libraries))("is a transaction of %s", (_name, open) =>
      open((transaction) =>
        useEngine(version, async (engine) => {
          const rolledBack = transaction(async (db) => {
            await engine.enqueue(job, payload, { db });
            await engine.enqueueMany(job, [payload, payload], { db, runAt: new Date(0) });
            await engine.enqueue(job, payload, { db, idempotencyKey: "one" });
            throw new Error("rolled back");
          });
          await expect(rolledBack).rejects.toThrow("rolled back");
          expect(await waiting(engine)).toBe(0);

          await transaction(async (db) => {
            await engine.enqueue(job, payload, { db, correlationId: "?" });
            await engine.enqueueMany(job, [payload, payload], { db });
            const once = { db, idempotencyKey: "one", maxAttempts: 1 };
            expect((await engine.enqueue(job, payload, once)).isDuplicate).toBe(false);
            expect((await engine.enqueue(job, payload, once)).isDuplicate).toBe(true);
            const unique = { db, uniqueKey: "two ?", uniqueForMs: 60_000, priority: 9, retainMs: 0 };
            const { id } = await engine.enqueue(job, payload, unique);
            expect(await engine.enqueue(job, payload, unique)).toEqual({ id, isDuplicate: true });
            expect(await engine.cancel(id), "nobody else sees it before the commit").toBe(false);
          });
          expect(await waiting(engine)).toBe(5);

          const seen: unknown[] = [];
          const handled = defineJob<{ text: string }>({
            name: job.name,
            run: (given) => void seen.push(given),
          });
          const worker = await engine.work({ jobs: [handled], concurrency: 4 });
          await expect.poll(() => seen, { timeout: 30_000 }).toEqual(Array(5).fill(payload));
          await worker.stop();
        }),
      ),
    );

    it.each<[string, (value: number) => unknown]>([
      ["text", String],
      ["a BigInt", BigInt],
    ])("may read integers as %s", (_name, read) =>
      libraries.pg?.((transaction) =>
        useEngine(version, async (engine) => {
          await transaction(async (plain) => {
            const db: SqlDatabase = {
              async executeSql(text, values) {
                const { rows } = await plain.executeSql(text, values);
                const converted = rows.map((row: object) =>
                  Object.entries(row).map(([key, value]) => [
                    key,
                    Number.isInteger(value) ? read(value) : value,
                  ]),
                );
                return { rows: converted.map((entries) => Object.fromEntries(entries)) };
              },
            };
            await engine.enqueue(job, payload, { db });
            await engine.enqueueMany(job, [payload, payload], { db });
            const once = { db, idempotencyKey: "one" };
            expect((await engine.enqueue(job, payload, once)).isDuplicate).toBe(false);
            expect((await engine.enqueue(job, payload, once)).isDuplicate).toBe(true);
            const unique = { db, uniqueKey: "two" };
            const { id, isDuplicate } = await engine.enqueue(job, payload, unique);
            expect(isDuplicate).toBe(false);
            expect(await engine.enqueue(job, payload, unique)).toEqual({ id, isDuplicate: true });
          });
          expect(await waiting(engine)).toBe(5);
        }),
      ),
    );

    it.each(Object.entries(libraries))("has no payload in the errors of %s", (_name, open) =>
      open((transaction) =>
        useEngine(version, async (engine) => {
          let error: unknown;
          const failed = transaction(async (db) => {
            await db.executeSql("SELECT 1 / 0").catch(() => {});
            error = await engine.enqueue(job, { text: "sesame" }, { db }).catch((thrown: unknown) => thrown);
            throw error;
          });
          await failed.catch(() => {});
          expect(error).toMatchObject({ code: "25P02" });
          expect((error as Error).message).toMatch(/^current transaction is aborted, commands ignored/);
          expect(inspect(error, { depth: null, showHidden: true })).not.toContain("sesame");
        }),
      ),
    );

    it.each([null, "postgres://u:sesame@127.0.0.1/jobs", {}, { query: () => {} }, { executeSql: "SELECT" }])(
      "is refused at the call unless it is one (%#)",
      async (db) => {
        await useEngine(version, async (engine) => {
          const refused = engine
            .enqueue(job, payload, { db: db as never })
            .catch((thrown: unknown) => thrown);
          expect(await refused).toBeInstanceOf(TypeError);
          expect(String(await refused)).toMatch(/`db` to be an object with .*`executeSql\(text, values\)`/);
          expect(String(await refused)).not.toContain("sesame");
          await expect(engine.enqueueMany(job, [], { db: db as never })).rejects.toThrow(TypeError);
          expect(await waiting(engine)).toBe(0);
        });
      },
    );
  },
);

describe("the guide", () => {
  it("has the lines that are tested here", async () => {
    const guide = await readFile(
      new URL("../../../../apps/docs/enqueue-in-your-transaction.md", import.meta.url),
      "utf8",
    );
    const test = await readFile(new URL(import.meta.url), "utf8");
    const lines = [...guide.matchAll(/^([\w.]+) +(executeSql: .*)$/gm)];
    expect(lines.map(([, library]) => library)).toEqual(Object.keys(libraries));
    for (const [, library, line] of lines) expect(test, library).toContain(`${line},\n`);
  });
});
