import { requireKnownKeys, requireText } from "@nidus/jobs-core/adapter";
import { requireLibraryOptions } from "@nidus/jobs-durable/backend";
import type { Dialect } from "./dialect.ts";

/** Options of pg-boss's own that no other engine has. */
export interface PgBossJobOptions {
  /** The group of the job, for workers of other programs that bound how many jobs of a group run. It needs pg-boss 12. */
  readonly group?: { readonly id: string; readonly tier?: string | undefined } | undefined;
}

/** As for other texts of an enqueue. */
const maxCharacters = 512;

/** Options of pg-boss that Nidus decides on, and what to use instead. */
const owned: Readonly<Record<string, string>> = {
  id: "`idempotencyKey`",
  priority: "`priority`",
  startAfter: "`runAt`",
  retryLimit: "`maxAttempts`",
  retryDelay: "`backoff`",
  retryBackoff: "`backoff`",
  retryDelayMax: "`backoff`",
  singletonKey: "`uniqueKey`",
  singletonSeconds: "`uniqueForMs`",
  singletonMinutes: "`uniqueForMs`",
  singletonHours: "`uniqueForMs`",
  singletonNextSlot: "`uniqueForMs`",
  deleteAfterSeconds: "`retainMs`",
  expireInSeconds: "the engine's `leaseMs`",
  expireInMinutes: "the engine's `leaseMs`",
  expireInHours: "the engine's `leaseMs`",
  heartbeatSeconds: "the engine's `leaseMs`",
  retentionSeconds: "nothing: a waiting job is never deleted",
  deadLetter: "`engine.deadLetters()`",
  db: "`db` beside `pgBoss`",
  data: "the payload",
  name: "the job's `name`",
};

/** Returns the check of the option `pgBoss`. It throws a TypeError for an option that is unknown, or that Nidus decides on. */
export function requirePgBossJobOptions({ hasGroups }: Dialect): (options: unknown) => void {
  return (options) => {
    requireLibraryOptions(options, { option: "pgBoss", known: ["group"], owned });
    const { group } = options as PgBossJobOptions;
    if (group === undefined) return;
    if (!hasGroups) throw new TypeError("`pgBoss.group` needs pg-boss 12");
    requireKnownKeys("`pgBoss.group`", group, ["id", "tier"]);
    requireColumnText("`pgBoss.group.id`", group.id);
    if (group.tier !== undefined) requireColumnText("`pgBoss.group.tier`", group.tier);
  };
}

function requireColumnText(what: string, text: string): void {
  requireText(what, text);
  if (text.length <= maxCharacters && !/[\0\p{Surrogate}]/u.test(text)) return;
  throw new TypeError(`expected ${what} to be well-formed text of at most ${maxCharacters} characters`);
}
