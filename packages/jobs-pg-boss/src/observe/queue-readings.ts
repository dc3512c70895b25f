import type { DeadLetterCount, JobBacklog } from "@nidus/jobs-observe";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { dateOrNull } from "../store/lease-statements.ts";

/** The columns of pg-boss's table of jobs that differ between its versions. */
interface Columns {
  readonly startAfter: string;
  readonly completedOn: string;
  /** The condition under which a due job may be fetched. */
  readonly isReady: string;
}

/** The state of a pg-boss that another program started, as this package reads it. */
interface BareBoss {
  /** From pg-boss 10 on. */
  getDb?(): SqlDatabase;
  /** In pg-boss 9. */
  readonly db?: SqlDatabase;
  /** In pg-boss 12. */
  readonly touch?: unknown;
}

/** Reads queues of any pg-boss from 9 on, with one statement for each reading. */
export class QueueReadings {
  readonly #boss: BareBoss;
  readonly #names: readonly string[];
  readonly #job: string;

  /** `schema` stands unquoted in statements, as in pg-boss's own. */
  constructor(boss: object, names: readonly string[], schema: string) {
    this.#boss = boss;
    this.#names = names;
    this.#job = `${schema}.job`;
  }

  async backlog(): Promise<JobBacklog[]> {
    const { startAfter, isReady } = this.#columns;
    const rows = await this.#count(startAfter, `state < 'active' AND ${startAfter} <= now() AND ${isReady}`);
    return rows.map(({ name, count, oldest }) => ({
      jobName: name,
      waiting: count,
      oldestWaitingAt: oldest,
    }));
  }

  async deadLetters(): Promise<DeadLetterCount[]> {
    const rows = await this.#count(this.#columns.completedOn, "state = 'failed'");
    return rows.map(({ name, count, oldest }) => ({ jobName: name, count, oldestAt: oldest }));
  }

  ping(): Promise<unknown> {
    return this.#run("SELECT 1", []);
  }

  /**
   * Counts the jobs of each queue that fulfil a condition. The inner query has the names, so that it reads their partitions alone. The
   * numbers are text, since the application may have changed the parsers of its `pg`.
   */
  async #count(moment: string, condition: string): Promise<readonly CountRow[]> {
    const rows = await this.#run(
      `SELECT queue.name, count(j.name)::text AS count, (extract(epoch FROM min(j.moment)) * 1000)::text AS oldest_ms
      FROM unnest($1::text[]) AS queue(name) LEFT JOIN (
        SELECT name, ${dateOrNull(moment)} AS moment FROM ${this.#job} WHERE name = ANY($1::text[]) AND ${condition}
      ) j ON j.name = queue.name
      GROUP BY queue.name`,
      [this.#names],
    );
    return rows.map(({ name, count, oldest_ms }) => ({
      name,
      count: Number(count),
      oldest: oldest_ms === null ? undefined : new Date(Number(oldest_ms)),
    }));
  }

  #run(text: string, values: readonly unknown[]): Promise<Row[]> {
    const db = this.#boss.getDb?.() ?? this.#boss.db;
    if (db === undefined) throw new TypeError("expected `boss` to be a PgBoss from version 9 on");
    return runSql(db, text, values);
  }

  get #columns(): Columns {
    const { getDb, touch } = this.#boss;
    if (getDb === undefined) return { startAfter: "startafter", completedOn: "completedon", isReady: "TRUE" };
    const isReady = touch === undefined ? "TRUE" : "NOT blocked";
    return { startAfter: "start_after", completedOn: "completed_on", isReady };
  }
}

interface CountRow {
  readonly name: string;
  readonly count: number;
  /** Undefined if JavaScript has no such date, or if nothing was counted. */
  readonly oldest: Date | undefined;
}
