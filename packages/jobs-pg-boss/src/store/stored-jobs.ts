import type { StoredJob, StoredJobState } from "@nidus/jobs-durable";
import { type StoredJobsPage, type StoredJobsQuery, wrongCursor } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { isUuid } from "./is-uuid.ts";
import { jobName, queueName } from "./queue-name.ts";
import { storedJobFrom } from "./stored-job.ts";
import {
  beforeNewest,
  beforeOldest,
  isCreatedUs,
  type StoredJobStatements,
  storedJobStatements,
} from "./stored-job-statements.ts";

/** Looks at the jobs of pg-boss's table. */
export class StoredJobs {
  readonly #db: SqlDatabase;
  readonly #statements: StoredJobStatements;
  #indexed: Promise<unknown> | undefined;

  constructor(db: SqlDatabase, schema: string) {
    this.#db = db;
    this.#statements = storedJobStatements(schema);
  }

  async job(jobId: string, withPayload: boolean): Promise<StoredJob | undefined> {
    if (!isUuid(jobId)) return undefined;
    const [row] = await runSql(this.#db, this.#statements.job, [jobId, withPayload]);
    return row && storedJobFrom(row, withPayload);
  }

  /** Makes a page. The first one of a process looks after the index, so that stores which are never listed have none. */
  async page(query: StoredJobsQuery): Promise<StoredJobsPage> {
    const { jobName: name, limit, position, withPayload } = query;
    const rows = await (name !== undefined
      ? this.#ofQueue(name, query, position)
      : query.state === undefined
        ? this.#ofAllQueues(query, position)
        : this.#ofAllQueuesInState(query.state, query, position));
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      jobs: page.map((row) => storedJobFrom(row, withPayload)),
      position: last && positionOf(last, name),
    };
  }

  async #ofQueue(
    name: string,
    { state, limit, withPayload }: StoredJobsQuery,
    position: readonly string[] = [beforeNewest.createdUs, beforeNewest.id],
  ): Promise<Row[]> {
    const [createdUs = "", id = "", ...rest] = position;
    if (!isCreatedUs(createdUs) || !isUuid(id) || rest.length > 0) throw wrongCursor();
    const values = [limit + 1, withPayload, queueName(name), createdUs, id];
    return this.#list(this.#statements.ofQueue(state), values);
  }

  async #ofAllQueues(
    { limit, withPayload }: StoredJobsQuery,
    position: readonly string[] | undefined,
  ): Promise<Row[]> {
    const [name = "", id = "", ...rest] = position ?? [];
    if (position !== undefined && (!isUuid(id) || rest.length > 0)) throw wrongCursor();
    return this.#inQueuesFrom(name, limit + 1, (most, queues) =>
      this.#list(this.#statements.ofQueues(queues.length), [
        ...[most, withPayload, queueName(name), nextUuid(id)],
        ...queues,
      ]),
    );
  }

  async #ofAllQueuesInState(
    state: StoredJobState,
    { limit, withPayload }: StoredJobsQuery,
    position: readonly string[] = ["", beforeOldest.createdUs, beforeOldest.id],
  ): Promise<Row[]> {
    const [name = "", createdUs = "", id = "", ...rest] = position;
    if (!isCreatedUs(createdUs) || !isUuid(id) || rest.length > 0) throw wrongCursor();
    return this.#inQueuesFrom(
      name,
      limit + 1,
      (most, queues) =>
        this.#list(this.#statements.ofQueuesInState(state, queues.length), [
          ...[most, withPayload, queueName(name), createdUs, id],
          ...queues,
        ]),
      async (queues) => namesOf(await this.#list(this.#statements.queuesInState(state), [queues])),
    );
  }

  /**
   * Looks into the queues, some at a time, until enough jobs are found. With each queue in a partition of its own, as in pg-boss 10,
   * PostgreSQL takes longer to plan for all of them than to read a page. If the first ones have too few jobs, `choose` leaves out those
   * of the others that have none.
   */
  async #inQueuesFrom(
    jobName: string,
    most: number,
    look: (most: number, queues: readonly string[]) => Promise<Row[]>,
    choose: (queues: readonly string[]) => Promise<readonly string[]> = async (queues) => queues,
  ): Promise<Row[]> {
    const queues = namesOf(await this.#list(this.#statements.queuesFrom, [queueName(jobName)]));
    // A store that is new, or was emptied between two pages.
    if (queues.length === 0) return [];
    const rows = await look(most, queues.slice(0, firstQueues));
    let others: readonly string[] = queues.slice(firstQueues);
    if (rows.length < most && others.length > moreQueues) others = await choose(others);
    for (let from = 0; from < others.length && rows.length < most; from += moreQueues) {
      rows.push(...(await look(most - rows.length, others.slice(from, from + moreQueues))));
    }
    return rows;
  }

  async #list(statement: string, values: readonly unknown[]): Promise<Row[]> {
    this.#indexed ??= runSql(this.#db, this.#statements.createIndex, []).catch((error: unknown) => {
      this.#indexed = undefined;
      throw error;
    });
    await this.#indexed;
    return runSql(this.#db, statement, values);
  }
}

/** How many queues a page looks into at first, which mostly have enough jobs, and then at a time. */
const firstQueues = 4;
const moreQueues = 20;

function namesOf(rows: readonly Row[]): string[] {
  return rows.map(({ name }) => name as string);
}

/** Names the place of the last job of a page, as the statement that listed it takes it back. */
function positionOf({ name, created_us: createdUs, id }: Row, listedName: string | undefined): string[] {
  const place = [...(createdUs === undefined ? [] : [createdUs as string]), id as string];
  return listedName === undefined ? [jobName(name), ...place] : place;
}

/** Returns the id after this one in the order of PostgreSQL. The first one for an empty text. */
function nextUuid(id: string): string {
  const next = id === "" ? 0n : BigInt(`0x${id.replaceAll("-", "")}`) + 1n;
  const digits = next.toString(16).padStart(32, "0").slice(-32);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
