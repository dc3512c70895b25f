import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { DeclareTest } from "../contract/declare-test.ts";
import type { Behaviour } from "./behaviour.ts";
import { budget } from "./budget.ts";
import { cancellation } from "./cancellation.ts";
import { contexts } from "./contexts.ts";
import { engines } from "./engines.ts";
import { hostileInput } from "./hostile-input.ts";
import { isolation } from "./isolation.ts";
import { lifecycle } from "./lifecycle.ts";
import { memory } from "./memory.ts";
import { ordering } from "./ordering.ts";
import { scope } from "./scope.ts";
import { type CreateObserver, Subject } from "./subject.ts";
import { transparency } from "./transparency.ts";

/** Options of {@link observerContract}. */
export interface ObserverContractOptions {
  /**
   * Declares a test: pass the `test` of vitest or of `node:test`, unchanged. Run the tests one after the other, since some measure
   * memory and time. Each takes a few seconds, or 30 on a busy machine.
   */
  readonly test: DeclareTest;
  /** Makes an observer to test. */
  readonly createObserver: CreateObserver;
  /** The nanoseconds by which a synchronous run may cost more with the observer than without any. @default not measured */
  readonly budget?: { readonly nanosecondsPerRun: number } | undefined;
}

/** The time limit of a test: some measure memory over hundreds of thousands of runs. */
const limitMs = 300_000;

const behaviours: Readonly<Record<string, Behaviour>> = {
  transparency,
  ordering,
  isolation,
  memory,
  "hostile input": hostileInput,
  cancellation,
  engines,
  lifecycle,
  scope,
  contexts,
};

/**
 * Declares the tests that every observer passes. Each test makes its own observers and shuts them down. If node was started without
 * `--expose-gc`, the tests of memory turn that flag on.
 *
 * @throws TypeError or RangeError for an invalid or unknown option.
 */
export function observerContract(options: ObserverContractOptions): void {
  requireKnownKeys("the options of observerContract", options, ["test", "createObserver", "budget"]);
  const { test, createObserver } = options;
  if (typeof test !== "function") throw invalidArgument("`test`", "a function", test);
  if (typeof createObserver !== "function")
    throw invalidArgument("`createObserver`", "a function", createObserver);
  for (const [title, behaviour] of Object.entries(behavioursFor(options))) {
    behaviour((name, body) => {
      test(`${title}: ${name}`, { timeout: limitMs }, async () => {
        const subjects: Subject[] = [];
        const create = async (): Promise<Subject> => {
          const subject = new Subject(await createObserver());
          subjects.push(subject);
          return subject;
        };
        try {
          await body({ subject: await create(), create });
        } finally {
          // Another test checks the shutdown.
          await Promise.allSettled(subjects.map((subject) => subject.shutdown()));
        }
      });
    });
  }
}

function behavioursFor({ budget: limit }: ObserverContractOptions): Readonly<Record<string, Behaviour>> {
  if (limit === undefined) return behaviours;
  const nanoseconds = limit?.nanosecondsPerRun;
  if (typeof nanoseconds !== "number" || !(nanoseconds > 0)) {
    const Refusal = typeof nanoseconds === "number" ? RangeError : TypeError;
    throw invalidArgument("`budget.nanosecondsPerRun`", "a number above 0", nanoseconds, Refusal);
  }
  return { ...behaviours, budget: budget(nanoseconds) };
}
