import type { PGlite } from "@electric-sql/pglite";
import { type BackendContractOptions, backendContract } from "@nidus/jobs-testkit/contracts";
import { afterAll, describe, it } from "vitest";
import type { SqlDatabase } from "../src/index.ts";
import { backendsOf } from "./support/backends-of.ts";
import { PgliteBosses } from "./support/pglite-bosses.ts";
import { versions } from "./support/start-boss.ts";

const bosses = await PgliteBosses.open();

afterAll(() => bosses.close());

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
