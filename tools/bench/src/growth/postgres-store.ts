import type { JobEngine } from "@nidus/jobs-durable";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { startPostgres } from "test-servers";
import { cpuMsOf } from "./cpu-time.ts";
import { fillStatement, indexStatement } from "./postgres-fill.ts";
import type { Store } from "./store.ts";

/** The majors that are measured. */
export type Major = 10 | 12;

/** The parts of a pg-boss that are used here. */
interface Boss {
  on(event: "error", listener: (error: unknown) => void): unknown;
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<unknown>;
  getDb(): { executeSql(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }> };
  fetch(queue: string, options: { batchSize: number }): Promise<unknown>;
  maintain?(): Promise<unknown>;
  supervise?(): Promise<unknown>;
}

/** Jobs are kept for as long as the engine keeps them, and no timer of pg-boss disturbs the measurement. */
const quiet = {
  supervise: false,
  schedule: false,
  migrate: true,
  archiveCompletedAfterSeconds: 86_400,
  archiveFailedAfterSeconds: 14 * 86_400,
  deleteAfterSeconds: 1,
};

/** Workers of parallel queries are not counted with their leader, so there are none. */
const settings = [
  "shared_preload_libraries=pg_stat_statements",
  "max_parallel_workers_per_gather=0",
  "shared_buffers=512MB",
  "max_wal_size=4GB",
  "synchronous_commit=off",
  "autovacuum=off",
];

/** Starts a PostgreSQL with the tables of pg-boss. */
export async function postgresStore(major: Major): Promise<Store> {
  const server = await startPostgres(settings);
  const make = (name: string, options: object): Boss => {
    const all = { connectionString: server.url, application_name: name, ...quiet, ...options };
    const boss = (major === 10 ? new PgBoss10(all) : new PgBoss12(all)) as Boss;
    boss.on("error", (error) => console.error(error));
    return boss;
  };
  const admin = make("admin", { max: 1 });
  await admin.start();
  const sql = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await admin.getDb().executeSql(text, values)).rows;
  await sql("CREATE EXTENSION pg_stat_statements");
  // The engine's own pg-boss is version 10. A second one of ours is as quiet as the first.
  const bosses: Boss[] = [];
  // By process: pools close idle connections, whose time counts all the same.
  const cpuMs = new Map<number, number>();
  const open = async (runner: Parameters<Store["open"]>[0]): Promise<JobEngine> => {
    const boss = make("engine", { max: 10 });
    bosses.push(boss);
    await boss.start();
    return pgBossEngine({ runner, boss: boss as never });
  };
  return {
    title: `pg-boss ${major}`,
    open,
    // The engine's own maintenance comes at its start, and not again within the measurement.
    ...(major === 10 && {
      openAlone: (runner) =>
        pgBossEngine({ runner, connectionString: `${server.url}?application_name=engine`, leaseMs: 90_000 }),
    }),
    async fill(size) {
      // Without a check of the foreign key for each row.
      await sql("SET session_replication_role = replica");
      await sql(fillStatement(major, size));
      await sql(indexStatement);
      await sql("VACUUM (ANALYZE)");
      await sql("CHECKPOINT");
    },
    async empty() {
      await sql("DELETE FROM pgboss.job WHERE state <= 'active' AND name <> 'nidus/schedules'");
      await sql("VACUUM (ANALYZE)");
    },
    async fetch(jobName, count) {
      await bosses[0]?.fetch(jobName, { batchSize: count });
    },
    async sweep() {
      for (const boss of bosses) await (boss.maintain ?? boss.supervise)?.call(boss);
    },
    async cpuMs() {
      const rows = await sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'engine'");
      for (const { pid } of rows as { pid: number }[]) {
        const spentMs = await cpuMsOf(pid);
        // The pool may have closed a connection meanwhile.
        if (!Number.isNaN(spentMs) || !cpuMs.has(pid)) cpuMs.set(pid, spentMs);
      }
      return [...cpuMs.values()].reduce((total, each) => total + each, 0);
    },
    async requests(work) {
      const count = async (): Promise<number> => {
        const [row] = await sql(
          "SELECT sum(calls)::int AS calls FROM pg_stat_statements WHERE toplevel AND query !~ 'pg_stat_|^(BEGIN|COMMIT|SET)'",
        );
        return row?.calls as number;
      };
      const before = await count();
      await work();
      return (await count()) - before;
    },
    async stop() {
      for (const boss of [...bosses, admin]) await boss.stop({ graceful: false });
      await server.stop();
    },
  };
}
