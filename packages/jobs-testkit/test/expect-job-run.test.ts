import { AssertionError } from "node:assert";
import { asyncJob, job } from "@nidus/jobs-core";
import { PermanentJobError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { expectJobRun, type JobRecorder, recordingObserver } from "../src/index.ts";

class MailboxFull extends Error {}

/** A success, a failure of each of two kinds, and a cancelled run, with attributes. */
async function recorded(): Promise<JobRecorder> {
  const recorder = recordingObserver();
  const runner = new ObservedJobRunner(recorder);
  const attempt = (tenant: string, error: unknown) =>
    runner
      .context({ tenant, size: 3 })
      .runAsync(asyncJob("send_digest", () => Promise.reject(error)))
      .catch(() => {});
  runner.context("tenant", "a").run(job("send_digest", () => {}));
  await attempt("b", new MailboxFull("mailbox of ada is full"));
  await attempt("c", new PermanentJobError("no such user"));
  await runner
    .runAsync(
      asyncJob("reindex", (signal) => Promise.reject(signal.reason)),
      { signal: AbortSignal.abort() },
    )
    .catch(() => {});
  return recorder;
}

function failureOf(check: () => unknown): AssertionError {
  try {
    check();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  throw new Error("it passed");
}

describe("expectJobRun", () => {
  it("passes if a run has ended as expected", async () => {
    const recorder = await recorded();
    const digest = expectJobRun(recorder, "send_digest");
    digest.toHaveSucceeded();
    digest.toHaveFailed();
    digest.toHaveFailed("no such user");
    digest.toHaveFailed(/^mailbox .* full$/g);
    digest.toHaveFailed(MailboxFull);
    digest.toHaveFailed(PermanentJobError);
    digest.toHaveRun(3);
    expectJobRun(recorder, "reindex").toHaveBeenCancelled();
    expectJobRun(recorder, "other").toHaveRun(0);
  });

  it("chains what has to hold for one run", async () => {
    const digest = expectJobRun(await recorded(), "send_digest");
    digest.toHaveFailed(MailboxFull).withAttributes({ tenant: "b" });
    digest.withAttributes({ tenant: "c", size: 3 }).toHaveFailed("no such user").toHaveRun(1);
    digest.toHaveFailed().toHaveRun(2);
    failureOf(() => digest.toHaveFailed(MailboxFull).withAttributes({ tenant: "c" }));
    failureOf(() => digest.toHaveSucceeded().toHaveFailed());
  });

  it("fails with a message that lists what has run", async () => {
    const recorder = await recorded();
    const { message } = failureOf(() => expectJobRun(recorder, "reindex").toHaveFailed(/timed out/));
    expect(message).toBe(
      [
        'expected a run of "reindex" that failed with /timed out/, got none; what has run:',
        '  send_digest: success {"tenant":"a"}',
        '  send_digest: failure (mailbox of ada is full) {"tenant":"b","size":3}',
        '  send_digest: failure (no such user) {"tenant":"c","size":3}',
        "  reindex: cancelled (This operation was aborted)",
      ].join("\n"),
    );
    const none = failureOf(() => expectJobRun(recordingObserver(), "reindex").toHaveSucceeded());
    expect(none.message).toBe('expected a run of "reindex" that succeeded, got none; nothing has run');
  });

  it("lists twenty runs, and counts the others", () => {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner(recorder);
    for (let run = 0; run < 25; run++) runner.run(job("often", () => {}));
    const { message } = failureOf(() => expectJobRun(recorder, "often").toHaveRun(24));
    expect(message).toMatch(/^expected 24 runs of "often", got 25; what has run:\n/);
    expect(message.split("\n")).toHaveLength(22);
    expect(message).toMatch(/and 5 more$/);
  });

  it("says what was there and what was expected", async () => {
    const recorder = await recorded();
    const digest = expectJobRun(recorder, "send_digest");
    expect(failureOf(() => digest.toHaveBeenCancelled())).toMatchObject({
      actual: ["success", "failure", "failure"],
      expected: ["cancelled"],
      operator: "toHaveBeenCancelled",
    });
    expect(failureOf(() => digest.toHaveFailed("late"))).toMatchObject({
      actual: [undefined, "mailbox of ada is full", "no such user"],
      expected: ["late"],
    });
    expect(failureOf(() => digest.toHaveRun(1))).toMatchObject({ actual: 3, expected: 1 });
    expect(failureOf(() => digest.toHaveSucceeded().withAttributes({ tenant: "b" }))).toMatchObject({
      actual: [{ tenant: "a" }],
      expected: [{ tenant: "b" }],
    });
  });

  it("has a stack that starts at its caller", async () => {
    const recorder = await recorded();
    const checks = [
      () => expectJobRun(recorder, "reindex").toHaveSucceeded(),
      () => expectJobRun(recorder, "reindex").toHaveFailed("late"),
      () => expectJobRun(recorder, "reindex").withAttributes({ a: 1 }),
      () => expectJobRun(recorder, "reindex").toHaveRun(2),
    ];
    for (const check of checks) {
      const [first] = failureOf(check).stack?.match(/^\s+at .*$/m) ?? [];
      expect(first).toContain("expect-job-run.test.ts");
    }
  });

  it("looks at attributes as they are: neither inherited nor converted", async () => {
    const digest = expectJobRun(await recorded(), "send_digest");
    failureOf(() => digest.withAttributes({ size: "3" }));
    failureOf(() => digest.withAttributes({ constructor: "a" }));
  });

  it("refuses wrong arguments", async () => {
    const recorder = await recorded();
    expect(() => expectJobRun({} as never, "a")).toThrow(TypeError);
    expect(() => expectJobRun(undefined as never, "a")).toThrow("a JobRecorder");
    expect(() => expectJobRun(recorder, "")).toThrow("expected `jobName` to be a non-empty string");
    const digest = expectJobRun(recorder, "send_digest");
    expect(() => digest.toHaveRun(-1)).toThrow(RangeError);
    expect(() => digest.toHaveRun("2" as never)).toThrow(TypeError);
    expect(() => digest.toHaveFailed(7 as never)).toThrow(TypeError);
    expect(() => digest.toHaveFailed("")).toThrow(TypeError);
    expect(() => digest.toHaveFailed((() => true) as never)).toThrow(
      "a pattern, a non-empty string or a class",
    );
    expect(() => digest.withAttributes("tenant" as never)).toThrow(TypeError);
  });
});
