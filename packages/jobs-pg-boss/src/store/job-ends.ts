import type { AwaitedJob, JobEnd } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { errorMessageFrom } from "./dead-letters.ts";
import { isUuid } from "./is-uuid.ts";
import { jobName, queueName } from "./queue-name.ts";
import { ownQueuesEvent } from "./queue-statements.ts";

/** Reads how jobs have ended. */
export class JobEnds {
  readonly #db: SqlDatabase;
  readonly #statement: string;

  constructor(db: SqlDatabase, schema: string) {
    this.#db = db;
    // $1 ids, $2 queues, or null for all of the engine's own.
    this.#statement = `
      SELECT id, name, state::text AS state, (output -> 'result')::text AS result_text,
        CASE WHEN state = 'failed' THEN output END AS output
      FROM ${schema}.job
      WHERE id = ANY($1::uuid[]) AND name = ANY(COALESCE($2::text[],
        ARRAY(SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}')))`;
  }

  async read(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    const ids = jobs.map(({ id }) => id).filter(isUuid);
    if (ids.length === 0) return jobs.map(() => ({ state: "unknown" }));
    const names = new Set(jobs.map((job) => job.jobName));
    const queues = names.has(undefined) ? null : [...names].map((name) => queueName(name as string));
    const rows = await runSql(this.#db, this.#statement, [ids, queues]);
    const ends = new Map(rows.map((row) => [row.id as string, endFrom(row)]));
    return jobs.map(({ id }) => ends.get(id.toLowerCase()) ?? { state: "unknown" });
  }
}

function endFrom({ name, state, result_text, output }: Row): JobEnd {
  if (state === "completed") return { state: "succeeded", resultText: result_text ?? undefined };
  if (state === "failed") return { state: "dead-lettered", error: errorMessageFrom(output) };
  return state === "cancelled" ? { state } : { state: "pending", jobName: jobName(name) };
}
