import { PGlite } from "@electric-sql/pglite";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type BackendContractOptions, backendContract } from "@nidus/jobs-testkit/contracts";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, it, vi } from "vitest";
import type { PgBossEngineOptions, PgBossLike, SqlDatabase } from "../src/index.ts";
import { backendOf, backendOnly } from "./support/backend-only.ts";
import { startHoldingProxy } from "./support/holding-proxy.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "postgres://localhost";
const versions = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

afterAll(() => postgres?.stop());

/** Makes backends as the engine's factory does. */
async function backendsOf(version: keyof typeof versions): Promise<typeof createBackend> {
  vi.resetModules();
  vi.doMock("pg-boss", versions[version]);
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

for (const version of [10, 12] as const) {
  describe
    .skipIf(postgres === undefined)
    .concurrent(`the backend of pgBossEngine on PostgreSQL, pg-boss ${version}`, async () => {
      const createBackend = await backendsOf(version);
      const place = { schema: `backend_contract_${version}`, maxConnections: 3 };
      backendContract({
        test: it.concurrent,
        createBackend: (options) => createBackend({ ...options, ...place, connectionString }),
        transaction,
        async createOutage(options) {
          const proxy = await startHoldingProxy(connectionString);
          const backend = await createBackend({ ...options, ...place, connectionString: proxy.url });
          return { backend, begin: async () => proxy[Symbol.asyncDispose]() };
        },
      });
    });
}

describe.concurrent("the backend of pgBossEngine on PGlite", async () => {
  const createBackend = await backendsOf(10);
  const { default: PgBoss } = (await import("pg-boss")) as unknown as {
    readonly default: new (
      options: object,
    ) => PgBossLike & { start(): Promise<unknown>; stop(): Promise<void> };
  };
  const pglite = await PGlite.create();
  const db: SqlDatabase = {
    async executeSql(text, values) {
      if (values !== undefined && values.length > 0) return pglite.query(text, values);
      return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
    },
  };
  const boss = new PgBoss({ db, maintenanceIntervalSeconds: 1 });
  await boss.start();

  afterAll(async () => {
    await boss.stop();
    await pglite.close();
  });

  backendContract({
    test: it.concurrent,
    createBackend: (options) => createBackend({ ...options, boss }),
    transaction: (body) =>
      pglite.transaction((own) => {
        const db: SqlDatabase = { executeSql: (text, values) => own.query(text, values) };
        return body({ db });
      }),
  });
});
