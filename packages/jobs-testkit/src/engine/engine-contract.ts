import { invalidArgument, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { DeclareTest } from "../contract/declare-test.ts";
import { type Behaviour, declareTests } from "../contract/test-plan.ts";
import { acting } from "./acting.ts";
import { attempts } from "./attempts.ts";
import { batchOptions } from "./batch-options.ts";
import { cancellation } from "./cancellation.ts";
import { changingConcurrency } from "./changing-concurrency.ts";
import { concurrency } from "./concurrency.ts";
import { deadLetters } from "./dead-letters.ts";
import { delivery } from "./deliveries.ts";
import { enqueueOptions } from "./enqueue-options.ts";
import { health } from "./health.ts";
import { idempotency } from "./idempotency.ts";
import { input } from "./input.ts";
import { type CreateEngine, type CreateWithRetention, Kit } from "./kit.ts";
import { leases } from "./leases.ts";
import { listing } from "./listing.ts";
import { lookup } from "./lookup.ts";
import { notTested } from "./not-tested.ts";
import { observation } from "./observation.ts";
import { order } from "./order.ts";
import { payloads } from "./payloads.ts";
import { priorities } from "./priorities.ts";
import { progress } from "./progress.ts";
import { releasing } from "./releasing.ts";
import { results } from "./results.ts";
import { retention } from "./retention.ts";
import { schedules } from "./schedules.ts";
import { secrets } from "./secrets.ts";
import { smoke } from "./smoke.ts";
import { snoozing } from "./snoozing.ts";
import { stats } from "./stats.ts";
import { stopping } from "./stopping.ts";
import { timeouts } from "./timeouts.ts";
import { uniqueKeys } from "./unique-keys.ts";
import { unknownIds } from "./unknown-ids.ts";

/** Options of {@link engineContract}. */
export interface EngineContractOptions {
  /** Declares a test: pass the `test` of vitest, its `it.concurrent`, or the `test` of `node:test`, as it is. */
  readonly test: DeclareTest;
  /** Makes an engine to test. */
  readonly createEngine: CreateEngine;
  /**
   * Makes an engine that keeps ended jobs for as long as it is told, and deletes them within a minute of that. If your store has one
   * retention for all engines, give each a store of its own. @default retention is not tested
   */
  readonly createWithRetention?: CreateWithRetention | undefined;
  /**
   * The time limit of a test in milliseconds: a whole number from 1. The tests of long leases get at least two minutes.
   * @default 120,000
   */
  readonly timeoutMs?: number | undefined;
}

const behaviours: Readonly<Record<string, Behaviour<Kit>>> = {
  delivery,
  "options of a batch": batchOptions,
  "options of an enqueue": enqueueOptions,
  order,
  priorities,
  attempts,
  "dead letters": deadLetters,
  "idempotency keys": idempotency,
  "unique keys": uniqueKeys,
  cancellation,
  "unknown ids": unknownIds,
  concurrency,
  "changing concurrency": changingConcurrency,
  timeouts,
  snoozing,
  progress,
  results,
  stopping,
  releasing,
  leases,
  retention,
  stats,
  health,
  lookup,
  listing,
  acting,
  payloads,
  secrets,
  observation,
  schedules,
  input,
  "not tested": notTested,
};

/**
 * Declares the tests that every engine passes. A smoke test comes first: if it fails, the others say so at once. The engine must
 * refuse what its `capabilities` do not claim. Tests use job names of their own, so that they can share a store, and close the
 * engines that they open.
 *
 * @throws TypeError or RangeError for an invalid or unknown option.
 */
export function engineContract(options: EngineContractOptions): void {
  const known = ["test", "createEngine", "createWithRetention", "timeoutMs"];
  requireKnownKeys("the options of engineContract", options, known);
  const { test, createEngine, createWithRetention, timeoutMs = 120_000 } = options;
  if (typeof test !== "function") throw invalidArgument("`test`", "a function", test);
  if (typeof createEngine !== "function") throw invalidArgument("`createEngine`", "a function", createEngine);
  if (createWithRetention !== undefined && typeof createWithRetention !== "function") {
    throw invalidArgument("`createWithRetention`", "a function", createWithRetention);
  }
  requireWholeNumber("`timeoutMs`", timeoutMs);
  declareTests({
    test,
    limitMs: timeoutMs,
    openKit: (onError) => new Kit(createEngine, createWithRetention, onError),
    smoke,
    behaviours,
  });
}
