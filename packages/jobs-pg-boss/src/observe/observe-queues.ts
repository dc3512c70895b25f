import { invalidArgument, requireFunction, requireKnownKeys, requireText } from "@nidus/jobs-core/adapter";
import { observeStore } from "@nidus/jobs-durable/backend";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { requireSchema } from "../options.ts";
import { QueueReadings } from "./queue-readings.ts";

/** The part of pg-boss that {@link observePgBossQueues} needs in its type. Every PgBoss from version 9 on has it. */
export interface PgBossQueuesLike {
  /** Adds a listener for the end of pg-boss. */
  on(event: "stopped", handler: () => void): unknown;
}

/** Where the queues are. */
export interface PgBossQueuesOptions {
  /** The schema of pg-boss's tables, as in its own options. @default "pgboss" */
  readonly schema?: string | undefined;
}

/**
 * Lets observers read queues of a pg-boss that you have: how many jobs wait and since when, how many have failed for the last time, and
 * whether PostgreSQL answers. The jobs count under the names of their queues, as those of `observePgBossHandler` do.
 *
 * A reading costs one statement on pg-boss's own connections. It rejects if PostgreSQL does not answer within 2 seconds. Reading ends
 * when you stop pg-boss. Call it once for each pg-boss in a process.
 *
 * @throws TypeError for a value that is no pg-boss, for names that are no array of texts, or for an unknown or wrong option.
 */
export function observePgBossQueues(
  runner: ObservedJobRunner,
  boss: PgBossQueuesLike,
  names: readonly string[],
  options: PgBossQueuesOptions = {},
): void {
  if (typeof boss?.on !== "function") throw new TypeError("expected `boss` to be a PgBoss");
  if (!Array.isArray(names) || names.length === 0) {
    throw invalidArgument("`names`", "an array of names of queues", names);
  }
  const queues = [...new Set(names.map((name) => requireText("the name of a queue", name)))];
  requireKnownKeys("the options of observePgBossQueues", options, ["schema"]);
  requireFunction("`runner.opened`", runner?.opened);
  const { schema = "pgboss" } = options;
  requireSchema(schema);
  const readings = new QueueReadings(boss, queues, schema);
  let isClosed = false;
  boss.on("stopped", () => {
    isClosed = true;
  });
  runner.declare(...queues.map((name) => ({ name, engine: "pg-boss", queue: name })));
  observeStore(runner, {
    engine: "pg-boss",
    address: "the database of your PgBoss",
    isClosed: () => isClosed,
    backlog: () => readings.backlog(),
    deadLetters: () => readings.deadLetters(),
    ping: () => readings.ping(),
  });
}
