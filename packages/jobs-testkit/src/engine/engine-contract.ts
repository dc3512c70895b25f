import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { DeclareTest } from "../declare-test.ts";
import { attempts } from "./attempts.ts";
import { batchOptions } from "./batch-options.ts";
import { cancellation } from "./cancellation.ts";
import { concurrency } from "./concurrency.ts";
import { deadLetters } from "./dead-letters.ts";
import { delivery } from "./deliveries.ts";
import { handingBack } from "./handing-back.ts";
import { idempotency } from "./idempotency.ts";
import { input } from "./input.ts";
import { type Behaviour, type CreateEngine, Kit } from "./kit.ts";
import { leases } from "./leases.ts";
import { observation } from "./observation.ts";
import { order } from "./order.ts";
import { payloads } from "./payloads.ts";
import { schedules } from "./schedules.ts";
import { secrets } from "./secrets.ts";
import { stats } from "./stats.ts";
import { stopping } from "./stopping.ts";
import { timeouts } from "./timeouts.ts";
import { unknownIds } from "./unknown-ids.ts";

/** What an engine brings to be tested. */
export interface EngineContractOptions {
  /**
   * Declares a test: the `test` of vitest, or that of `node:test`. Schedules take up to 90 s, leases 20, all others a few, and more on
   * a machine that does much else: a test gives up on what does not come after two minutes, on a schedule after three.
   */
  readonly test: DeclareTest;
  /** Makes the engines that are tested. */
  readonly createEngine: CreateEngine;
}

const behaviours: Readonly<Record<string, Behaviour>> = {
  delivery,
  "options of a batch": batchOptions,
  order,
  attempts,
  "dead letters": deadLetters,
  "idempotency keys": idempotency,
  cancellation,
  "unknown ids": unknownIds,
  concurrency,
  timeouts,
  stopping,
  releasing: handingBack,
  leases,
  stats,
  payloads,
  secrets,
  observation,
  schedules,
  input,
};

/**
 * Declares the tests that every engine passes. What an engine says in its `capabilities` that it cannot do, it must refuse.
 * Tests use job names of their own, so that they can share a store, and close the engines that they open.
 *
 * @throws TypeError for an option that is not as documented, or not known.
 */
export function engineContract(options: EngineContractOptions): void {
  requireKnownKeys("the options of engineContract", options, ["test", "createEngine"]);
  const { test, createEngine } = options;
  if (typeof test !== "function") throw invalidArgument("`test`", "a function", test);
  if (typeof createEngine !== "function") throw invalidArgument("`createEngine`", "a function", createEngine);
  for (const [title, behaviour] of Object.entries(behaviours)) {
    behaviour((name, body) => {
      test(`${title}: ${name}`, async () => {
        const kit = new Kit(createEngine);
        try {
          await body(kit);
        } finally {
          await kit.close();
        }
      });
    });
  }
}
