import { amended } from "./amended-error.ts";
import type { DeclareTest } from "./declare-test.ts";
import { ReportedErrors } from "./reported-errors.ts";
import { withinLimit } from "./time-limit.ts";

/** The resources of a test. They are closed when the test ends. */
export interface Closable {
  close(): Promise<void>;
}

/** A test of a contract. */
export type TestBody<Kit> = (kit: Kit) => Promise<void>;

/** Declares a test of a behaviour. `limitMs` is for a test that takes longer than most. */
type Declare<Kit> = (name: string, body: TestBody<Kit>, limitMs?: number) => void;

/** One behaviour: its tests, declared one by one. */
export type Behaviour<Kit> = (declare: Declare<Kit>) => void;

/** The parts from which a contract declares its tests. */
export interface TestPlan<Kit extends Closable> {
  readonly test: DeclareTest;
  /** How long a test may take, in milliseconds. */
  readonly limitMs: number;
  readonly openKit: (onError: (error: unknown) => void) => Kit;
  /** The least that works if anything does: its test comes first, and all others need it. */
  readonly smoke: TestBody<Kit>;
  readonly behaviours: Readonly<Record<string, Behaviour<Kit>>>;
}

const smokeTestName = "smoke: stores one job, and runs it";

/** Closing connections may take as long again. */
const closeMs = 20_000;

/** The longest for the smoke test: whatever is broken should be told soon. */
const smokeLimitMs = 30_000;

/** Declares the smoke test and then all others. Those fail at once if the smoke test fails. */
export function declareTests<Kit extends Closable>(plan: TestPlan<Kit>): void {
  const { test, limitMs, smoke, behaviours } = plan;
  let smokeTest: Promise<void> | undefined;
  const smokeTestOnce = (): Promise<void> => {
    smokeTest ??= run(plan, smoke, Math.min(limitMs, smokeLimitMs));
    return smokeTest;
  };
  test(smokeTestName, { timeout: smokeLimitMs + closeMs }, smokeTestOnce);
  for (const [title, behaviour] of Object.entries(behaviours)) {
    behaviour((name, body, ownLimitMs = 0) => {
      const longestMs = Math.max(limitMs, ownLimitMs);
      test(`${title}: ${name}`, { timeout: smokeLimitMs + longestMs + 2 * closeMs }, async () => {
        await smokeTestOnce().catch((error: unknown) => {
          // Without a cause: reporters would print the same stack once for each test.
          throw new Error(`not run, since the smoke test failed: ${messageOf(error)}`);
        });
        await run(plan, body, longestMs);
      });
    });
  }
}

async function run<Kit extends Closable>(
  plan: TestPlan<Kit>,
  body: TestBody<Kit>,
  limitMs: number,
): Promise<void> {
  const reported = new ReportedErrors();
  const kit = plan.openKit(reported.onError);
  const close = (): Promise<void> => withinLimit(kit.close(), closeMs, "closing what the test had opened");
  try {
    await withinLimit(body(kit), limitMs, "the test");
  } catch (error) {
    const closing = await close().then(
      () => "",
      (reason: unknown) => `\nAfterwards: ${messageOf(reason)}`,
    );
    throw reported.explain(closing === "" ? error : amended(error, closing));
  }
  await close().catch((error: unknown) => {
    throw reported.explain(error);
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
