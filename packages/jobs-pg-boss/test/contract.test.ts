import { engineContract } from "@nidus/jobs-testkit/contracts";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, it, vi } from "vitest";

/** The tests are about no deadline: on a busy machine, an answer may take longer than users would wait. */
const answerWithinMs = 60_000;

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
      const place = { connectionString: postgres?.url ?? "", maxConnections: 3, answerWithinMs };
      const schema = `contract_${version}`;

      engineContract({
        test: it.concurrent,
        createEngine: (options) => pgBossEngine({ ...options, ...place, schema }),
        // pg-boss 10 has one retention for a schema, and looks twice within a lease.
        createWithRetention: (options) =>
          pgBossEngine({ ...options, ...place, schema: `${schema}_short`, leaseMs: 1_000 }),
      });
    });
}
