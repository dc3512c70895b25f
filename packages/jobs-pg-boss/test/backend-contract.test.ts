import type { PGlite } from "@electric-sql/pglite";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type BackendContractOptions, backendContract } from "@nidus/jobs-testkit/contracts";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, it, vi } from "vitest";
import type { PgBossEngineOptions, SqlDatabase } from "../src/index.ts";
import { backendOf, backendOnly } from "./support/backend-only.ts";
import { startHoldingProxy } from "./support/holding-proxy.ts";
import { PgliteBosses } from "./support/pglite-bosses.ts";
import { versions } from "./support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "postgres://localhost";
const modules = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

const bosses = await PgliteBosses.open();

afterAll(async () => {
  await bosses.close();
  await postgres?.stop();
});

/** Makes backends as the engine's factory does. */
async function backendsOf(version: keyof typeof modules): Promise<typeof createBackend> {
  vi.resetModules();
  vi.doMock("pg-boss", modules[version]);
  vi.doMock("@nidus/jobs-durable/backend", backendOnly);
  const { pgBossEngine } = await import("../src/index.ts");
  vi.doUnmock("@nidus/jobs-durable/backend");
  const runner = new ObservedJobRunner();
  const createBackend = (options: Omit<PgBossEngineOptions, "runner">) =>
    backendOf(pgBossEngine({ runner, pollIntervalMs: 100, ...options } as PgBossEngineOptions));
  return createBackend;
}

/** A transaction on a connection of the caller's. */
const transaction: BackendContractOptions["transaction"] = async (body) => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const db: SqlDatabase = { executeSql: (text, values) => client.query(text, values) };
  try {
    await client.query("BEGIN");
    await body({ db });
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    await client.end();
  }
};

for (const version of versions) {
  describe
    .skipIf(postgres === undefined)
    .concurrent(`the backend of pgBossEngine on PostgreSQL, pg-boss ${version}`, async () => {
      const createBackend = await backendsOf(version);
      const place = { schema: `backend_contract_${version}`, maxConnections: 3 };
      backendContract({
        test: it.concurrent,
        createBackend: (options) => createBackend({ ...options, ...place, connectionString }),
        transaction,
        // pg-boss 10 has one retention for a schema, and looks twice within a lease.
        createWithRetention({ onError, retainSucceededMs, retainDeadLettersMs }) {
          const schema = `retention_${version}_${retainSucceededMs}`;
          const retention = { retainSucceededMs, retainDeadLettersMs };
          return createBackend({ onError, ...place, ...retention, schema, leaseMs: 5_000, connectionString });
        },
        async createOutage(options) {
          const proxy = await startHoldingProxy(connectionString);
          const backend = await createBackend({ ...options, ...place, connectionString: proxy.url });
          return { backend, begin: async () => proxy[Symbol.asyncDispose]() };
        },
      });
    });
}

/** A transaction of an embedded database. */
const transactionOn =
  (pglite: PGlite): NonNullable<BackendContractOptions["transaction"]> =>
  (body) =>
    pglite.transaction((own) => {
      const db: SqlDatabase = { executeSql: (text, values) => own.query(text, values) };
      return body({ db });
    });

for (const version of versions) {
  describe.concurrent(`the backend of pgBossEngine on PGlite, pg-boss ${version}`, async () => {
    const createBackend = await backendsOf(version);
    const boss = await bosses.start({ version, schema: `backend_${version}` });

    backendContract({
      test: it.concurrent,
      createBackend: (options) => createBackend({ ...options, boss, schema: `backend_${version}` }),
      async createWithRetention(options) {
        const schema = `retention_${version}_${options.retainSucceededMs}`;
        return createBackend({
          ...options,
          schema,
          boss: await bosses.start({ ...options, version, schema }),
        });
      },
      transaction: transactionOn(bosses.pglite),
    });
  });
}
