import { engineContract } from "@nidus/jobs-testkit/contracts";
import { afterAll, describe, it } from "vitest";
import { pgBossEngine } from "../src/index.ts";
import { PgliteBosses } from "./support/pglite-bosses.ts";
import { versions } from "./support/start-boss.ts";

/** The tests are about no deadline: on a busy machine, an answer may take longer than users would wait. */
const answerWithinMs = 60_000;

const bosses = await PgliteBosses.open();

afterAll(() => bosses.close());

for (const version of versions) {
  describe.concurrent(`pgBossEngine on PGlite, with a pg-boss ${version} of the caller's`, async () => {
    const schema = `contract_${version}`;
    const boss = await bosses.start({ version, schema });

    engineContract({
      test: it.concurrent,
      createEngine: (options) => pgBossEngine({ ...options, answerWithinMs, boss, schema }),
      async createWithRetention(options) {
        const own = `${schema}_short`;
        return pgBossEngine({
          ...options,
          answerWithinMs,
          schema: own,
          boss: await bosses.start({ ...options, version, schema: own }),
        });
      },
    });
  });
}
