import type { JobCounts } from "@nidus/jobs-durable";
import type { NameBacklog } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { type CountStatements, countStatements } from "./count-statements.ts";
import { backlogFrom, countsFrom } from "./counts.ts";
import type { Dialect } from "./dialect.ts";

/** The size of pg-boss's table, in bytes, from which counts of ended jobs are used again: some 150,000 jobs. */
const largeBytes = 64 * 1024 * 1024;

/** For how long they are used, in milliseconds. */
const rememberedMs = 60_000;

/**
 * Counts jobs. No index of pg-boss counts those that have ended, so PostgreSQL reads them all. In a large table, it does that once a
 * minute.
 */
export class JobCounter {
  readonly #db: SqlDatabase;
  readonly #statements: CountStatements;
  readonly #ended: RememberedRows = new RememberedRows();
  readonly #deadLetters: RememberedRows = new RememberedRows();

  constructor(db: SqlDatabase, schema: string, dialect: Dialect) {
    this.#db = db;
    this.#statements = countStatements(schema, dialect);
  }

  async counts(): Promise<Map<string, JobCounts>> {
    const { live, all } = this.#statements;
    const ended = this.#ended.rows;
    if (ended !== undefined) return countsFrom([...(await this.#run(live)), ...ended]);
    const rows = await this.#ended.read(() => this.#run(all), isOfEnded);
    return countsFrom(rows);
  }

  async backlog(): Promise<NameBacklog[]> {
    const { waiting, backlog } = this.#statements;
    const known = this.#deadLetters.rows;
    if (known === undefined)
      return backlogFrom(await this.#deadLetters.read(() => this.#run(backlog), isOfQueue));
    const byQueue = new Map(known.map((row) => [row.name as string, row]));
    const rows = await this.#run(waiting);
    return backlogFrom(rows.map((row) => ({ ...noDeadLetters, ...byQueue.get(row.name), ...row })));
  }

  /** Counts anew the next time: this process has changed jobs that have ended. */
  forget(): void {
    this.#ended.forget();
    this.#deadLetters.forget();
  }

  #run(statement: string): Promise<Row[]> {
    return runSql(this.#db, statement, []);
  }
}

const noDeadLetters = { dead_lettered: 0, oldest_dead_letter: null };

function isOfEnded({ bytes }: Row): boolean {
  return bytes !== null;
}

function isOfQueue(): boolean {
  return true;
}

/** The rows of a large table, for a minute. */
class RememberedRows {
  #rows: readonly Row[] = [];
  #untilMs = Number.NEGATIVE_INFINITY;
  #generation = 0;

  /** Undefined if it is time to read them. */
  get rows(): readonly Row[] | undefined {
    return performance.now() < this.#untilMs ? this.#rows : undefined;
  }

  /** Reads rows, and remembers some of them if the table is large. */
  async read(read: () => Promise<readonly Row[]>, isKept: (row: Row) => boolean): Promise<readonly Row[]> {
    const generation = this.#generation;
    const rows = await read();
    const kept = rows.filter(isKept);
    const isLarge = kept.some(({ bytes }) => bytes >= largeBytes);
    // Rows that were read before a change are not remembered.
    if (isLarge && generation === this.#generation) {
      this.#rows = kept;
      this.#untilMs = performance.now() + rememberedMs;
    }
    return rows;
  }

  forget(): void {
    this.#generation++;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}
