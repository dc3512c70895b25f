import type { StoredJob } from "@nidus/jobs-durable";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { runSql } from "../database/run-sql.ts";
import { isUuid } from "./is-uuid.ts";
import { storedJobFrom } from "./stored-job.ts";
import { type StoredJobStatements, storedJobStatements } from "./stored-job-statements.ts";

/** Looks at the jobs of pg-boss's table. */
export class StoredJobs {
  readonly #db: SqlDatabase;
  readonly #statements: StoredJobStatements;

  constructor(db: SqlDatabase, schema: string) {
    this.#db = db;
    this.#statements = storedJobStatements(schema);
  }

  async job(jobId: string, withPayload: boolean): Promise<StoredJob | undefined> {
    if (!isUuid(jobId)) return undefined;
    const [row] = await runSql(this.#db, this.#statements.job, [jobId, withPayload]);
    return row && storedJobFrom(row, withPayload);
  }
}
