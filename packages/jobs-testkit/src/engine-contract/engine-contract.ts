import type { JobEngine } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { behaviours } from "./behaviours.ts";
import { Stage } from "./stage.ts";

/**
 * Registers a test, as `test` of vitest, Jest and node:test do. `timeoutMs` is longer than a healthy engine needs; node:test,
 * which has no limit unless it is given one, does not look at it.
 */
export type ContractTest = (name: string, body: () => Promise<void>, timeoutMs: number) => unknown;

/** What an engine of the contract is created with. */
export interface ContractEngineOptions {
  /** For the engine's deliveries, its observers included. */
  readonly runner: ObservedJobRunner;
  /** How long a lease holds, in milliseconds, where a test depends on it; engines without leases need not look at it. */
  readonly leaseMs?: number;
  /** For the engine to report what goes wrong in the background: a failing test shows it. */
  readonly onError?: (error: unknown) => void;
}

/** Options of {@link engineContract}. */
export interface EngineContractOptions {
  /** Your test runner's. */
  readonly test: ContractTest;
  /**
   * An engine, which the contract closes. Tests create several; where `capabilities.persistence` they share one store, which may
   * hold other jobs too, such as those of earlier runs.
   */
  readonly createEngine: (options: ContractEngineOptions) => JobEngine | Promise<JobEngine>;
}

/**
 * Registers one test for each thing that every JobEngine does. What an engine can do is read from its `capabilities`: what it
 * cannot, it has to refuse. Tests do not depend on each other, nor on what else is in the store.
 */
export function engineContract({ test, createEngine }: EngineContractOptions): void {
  for (const behaviour of behaviours) {
    behaviour((name, body, timeoutMs = 60_000) => {
      test(name, () => new Stage(createEngine).play(body), timeoutMs);
    });
  }
}
