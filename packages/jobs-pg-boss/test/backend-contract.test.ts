import { type BackendContractOptions, backendContract } from "@nidus/jobs-testkit/contracts";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, it } from "vitest";
import type { SqlDatabase } from "../src/index.ts";
import { backendsOf } from "./support/backends-of.ts";
import { startHoldingProxy } from "./support/holding-proxy.ts";
import { schemaOfTest } from "./support/schema-of-test.ts";
import { versions } from "./support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "postgres://localhost";

afterAll(() => postgres?.stop());

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
      const schemaOf = schemaOfTest(`backend_contract_${version}`);
      const place = { connectionString, maxConnections: 3 };
      backendContract({
        test: it.concurrent,
        createBackend: (options) => createBackend({ ...options, ...place, schema: schemaOf(options) }),
        transaction,
        // pg-boss 10 has one retention for a schema, and looks twice within a lease.
        createWithRetention({ onError, retainSucceededMs, retainDeadLettersMs }) {
          const schema = `retention_${version}_${retainSucceededMs}`;
          const retention = { retainSucceededMs, retainDeadLettersMs };
          return createBackend({ onError, ...place, ...retention, schema, leaseMs: 5_000 });
        },
        async createOutage(options) {
          const proxy = await startHoldingProxy(connectionString);
          const through = { ...place, connectionString: proxy.url, schema: schemaOf(options) };
          const backend = await createBackend({ ...options, ...through });
          return { backend, begin: async () => proxy[Symbol.asyncDispose]() };
        },
      });
    });
}
