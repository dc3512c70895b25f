import { engineContract } from "@nidus/jobs-testkit/contracts";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, it } from "vitest";
import { importOn } from "./support/on-pg-boss.ts";
import { schemaOfTest } from "./support/schema-of-test.ts";
import { versions } from "./support/start-boss.ts";

/** The tests are about no deadline: on a busy machine, an answer may take longer than users would wait. */
const answerWithinMs = 60_000;

const postgres = await sharedPostgres();

afterAll(() => postgres?.stop());

for (const version of versions) {
  describe
    .skipIf(postgres === undefined)
    .concurrent(`pgBossEngine on PostgreSQL, pg-boss ${version}`, async () => {
      const { pgBossEngine } = await importOn(version);
      const place = { connectionString: postgres?.url ?? "", maxConnections: 3, answerWithinMs };
      const schemaOf = schemaOfTest(`contract_${version}`);

      engineContract({
        test: it.concurrent,
        createEngine: (options) => pgBossEngine({ ...options, ...place, schema: schemaOf(options) }),
        // pg-boss 10 has one retention for a schema, and looks twice within a lease.
        createWithRetention: (options) =>
          pgBossEngine({ ...options, ...place, schema: `contract_${version}_short`, leaseMs: 1_000 }),
      });
    });
}
