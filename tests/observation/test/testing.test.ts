import { job } from "@nidus/jobs-core";
import { expectJobRun, type TestObservability, testing } from "@nidus/jobs-testkit";
import { type Observability, production } from "@nidus/observability";
import { describe, expect, expectTypeOf, it } from "vitest";

type Needed = Pick<
  Observability,
  "jobRunner" | "jobObserver" | "forceFlush" | "shutdown" | typeof Symbol.asyncDispose
>;

/** Runs an application that was written for production. */
async function application(observability: Needed): Promise<string> {
  await using observed = observability;
  const result = observed
    .jobRunner()
    .context("tenant", "a")
    .run(job("send_digest", () => "sent"));
  await observed.forceFlush();
  return result;
}

describe("testing", () => {
  it("takes the place of the facade in an application", async () => {
    expectTypeOf<TestObservability>().toExtend<Needed>();
    const observability = testing("users-api");
    expect(await application(observability)).toBe("sent");
    expectJobRun(observability.recorder, "send_digest").toHaveSucceeded().withAttributes({ tenant: "a" });
    expect(await application(production("users-api").prometheus())).toBe("sent");
  });
});
