import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import type { PgBossLike } from "../../src/index.ts";

/** Another program's pg-boss, which uses pg-boss's own calls in place of the engine's statements. */
export interface StartedBoss extends PgBossLike {
  fail(queue: string, id: string): Promise<unknown>;
  createQueue(queue: string, options?: { policy?: string }): Promise<unknown>;
  deleteQueue(queue: string): Promise<unknown>;
  send(queue: string, data: object, options: object): Promise<string | null>;
  fetch(queue: string, options?: { batchSize: number; includeMetadata: true }): Promise<unknown[]>;
  /** Looks for expired jobs. Only in pg-boss 10. */
  maintain?(): Promise<unknown>;
  /** Looks for expired jobs. Only in pg-boss 12. */
  supervise?(queue: string): Promise<unknown>;
}

/** The majors that are tested. */
export const versions = [10, 12] as const;

/** Starts a pg-boss of a version on a schema. */
export async function startBoss(
  version: (typeof versions)[number],
  connectionString: string,
  schema: string,
): Promise<StartedBoss> {
  const options = { connectionString, schema, max: 3 };
  const boss: StartedBoss = version === 10 ? new PgBoss10(options) : new PgBoss12(options);
  boss.on("error", () => {});
  await boss.start();
  return boss;
}
