import type { PGlite } from "@electric-sql/pglite";
import type { Retention } from "@nidus/jobs-durable/backend";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { embeddedDatabase } from "test-servers";
import type { PgBossLike, SqlDatabase } from "../../src/index.ts";
import type { versions } from "./start-boss.ts";

type Version = (typeof versions)[number];

/** Which pg-boss to start, and how long that of version 10 retains jobs: version 12 asks each job. */
interface BossOptions extends Partial<Retention> {
  readonly version: Version;
  readonly schema: string;
}

/** One embedded database and some pg-boss on it, each with a schema of its own, as in an application with its own pg-boss. */
export class PgliteBosses {
  readonly pglite: PGlite;
  readonly #db: SqlDatabase;
  readonly #bosses: PgBossLike[] = [];

  private constructor(pglite: PGlite) {
    this.pglite = pglite;
    this.#db = {
      async executeSql(text, values) {
        if (values !== undefined && values.length > 0) return pglite.query(text, values);
        return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
      },
    };
  }

  static async open(): Promise<PgliteBosses> {
    return new PgliteBosses(await embeddedDatabase());
  }

  /** Starts a pg-boss that does its own work every second. */
  async start({ version, schema, ...retention }: BossOptions): Promise<PgBossLike> {
    const common = { db: this.#db, schema, cronMonitorIntervalSeconds: 1, cronWorkerIntervalSeconds: 1 };
    const boss: PgBossLike =
      version === 10
        ? new PgBoss10({ ...common, maintenanceIntervalSeconds: 1, ...retentionOf10(retention) })
        : new PgBoss12({
            ...common,
            backend: "pglite",
            // Ends leases that ran out, with one statement for all queues.
            superviseIntervalSeconds: 1,
            monitorIntervalSeconds: 1,
            // Deletes ended jobs, with statements for each queue: those of all tests, every second.
            ...(retention.retainSucceededMs === undefined ? {} : { maintenanceIntervalSeconds: 1 }),
          });
    this.#bosses.push(boss);
    await boss.start();
    return boss;
  }

  async close(): Promise<void> {
    for (const boss of this.#bosses) await boss.stop({ graceful: false });
    await this.pglite.close();
  }
}

function retentionOf10({ retainSucceededMs, retainDeadLettersMs }: Partial<Retention>): object {
  if (retainSucceededMs === undefined || retainDeadLettersMs === undefined) return {};
  return {
    archiveCompletedAfterSeconds: retainSucceededMs / 1000,
    archiveFailedAfterSeconds: retainDeadLettersMs / 1000,
    deleteAfterSeconds: 1,
  };
}
