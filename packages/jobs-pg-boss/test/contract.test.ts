import { engineContract } from "@nidus/jobs-testkit/contracts";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, it, vi } from "vitest";

const postgres = await sharedPostgres();
const versions = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

afterAll(() => postgres?.stop());

for (const [version, load] of Object.entries(versions)) {
  describe
    .skipIf(postgres === undefined)
    .concurrent(`pgBossEngine on PostgreSQL, pg-boss ${version}`, async () => {
      vi.resetModules();
      vi.doMock("pg-boss", load);
      const { pgBossEngine } = await import("../src/index.ts");
      const connectionString = postgres?.url ?? "";
      const schema = `contract_${version}`;

      engineContract({
        test: it.concurrent,
        createEngine: (options) => pgBossEngine({ ...options, connectionString, schema, maxConnections: 3 }),
        // pg-boss 10 has one retention for a schema, and looks twice within a lease.
        createWithRetention: (options) => {
          const place = { connectionString, schema: `${schema}_short`, maxConnections: 3 };
          return pgBossEngine({ ...options, ...place, leaseMs: 1_000 });
        },
      });
    });
}
