import { PGlite } from "@electric-sql/pglite";
import { engineContract } from "@nidus/jobs-testkit/contracts";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { afterAll, describe, it } from "vitest";
import { type PgBossLike, pgBossEngine, type SqlDatabase } from "../src/index.ts";

/** One connection and one database for all tests, as in an application with its own pg-boss. */
const pglite = await PGlite.create();
const db: SqlDatabase = {
  async executeSql(text, values) {
    if (values !== undefined && values.length > 0) return pglite.query(text, values);
    return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
  },
};
const cron = { cronMonitorIntervalSeconds: 1, cronWorkerIntervalSeconds: 1 };
const seconds = { maintenanceIntervalSeconds: 1, monitorIntervalSeconds: 1, superviseIntervalSeconds: 1 };
const bosses: Readonly<Record<string, PgBossLike>> = {
  10: new PgBoss10({ db, schema: "ten", maintenanceIntervalSeconds: 1, ...cron }),
  12: new PgBoss12({ db, schema: "twelve", backend: "pglite", ...seconds, ...cron }),
};
for (const boss of Object.values(bosses)) await boss.start();

afterAll(async () => {
  for (const boss of Object.values(bosses)) await boss.stop({ graceful: false });
  await pglite.close();
});

for (const [version, boss] of Object.entries(bosses)) {
  describe.concurrent(`pgBossEngine on PGlite, with a pg-boss ${version} of the caller's`, () => {
    const schema = version === "10" ? "ten" : "twelve";

    engineContract({
      test: it.concurrent,
      createEngine: (options) => pgBossEngine({ ...options, boss, schema }),
    });
  });
}
