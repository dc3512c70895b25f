import { sharedRedis } from "test-servers";
import { afterAll, describe, it } from "vitest";
import { hasOpenChildren, isLeaseLost, isMove } from "../../src/bullmq-internals/index.ts";
import { expectUnchanged, majors, plainQueue } from "../support/each-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

const errorOf = (settling: Promise<unknown>): Promise<unknown> =>
  settling.then(
    () => undefined,
    (error: unknown) => error,
  );

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | undefined)?.code;

describe.skipIf(redis === undefined).each(majors)("the errors of BullMQ $version", ({ version, bullmq }) => {
  const unchanged = (subject: string, actual: unknown, expected: unknown): void =>
    expectUnchanged(version, subject, actual, expected);

  it("tell by a code that a lease is lost, and how", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, client, key, take } = plain;
    const cases: readonly [subject: string, code: number, spoil: (id: string) => Promise<unknown>][] = [
      ["a job that is gone", -1, (id) => client.del(key(id), key(`${id}:lock`))],
      ["a job without a lock", -2, (id) => client.del(key(`${id}:lock`))],
      ["a job that is not active", -3, (id) => client.lrem(key("active"), 0, id)],
      ["a job with the lock of another worker", -6, (id) => client.set(key(`${id}:lock`), "other")],
    ];
    for (const [subject, code, spoil] of cases) {
      const { id = "" } = await queue.add("job", {});
      const job = await take(`token-${code}`);
      await spoil(id);
      const error = await errorOf(job.moveToCompleted(null, `token-${code}`, false));
      unchanged(`the code for ${subject}`, codeOf(error), code);
      unchanged(`the code for ${subject}`, isLeaseLost(error), true);
    }
  });

  it("tell by a code that a parent has open or failed children", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, take } = plain;
    await queue.add("parent", {}, { jobId: "parent" });
    const parent = await take("t1");
    const tie = { id: "parent", queue: queue.qualifiedName };
    await queue.add("child", {}, { jobId: "child", parent: tie, failParentOnFailure: true });
    const open = await errorOf(parent.moveToCompleted(null, "t1", false));
    unchanged("the code for a parent with open children", codeOf(open), -4);
    unchanged("the code for a parent with open children", hasOpenChildren(open), true);
    const child = await take("t2");
    await child.moveToFailed(new bullmq.UnrecoverableError("no"), "t2", false);
    const failed = await errorOf(parent.moveToCompleted(null, "t1", false));
    unchanged("the code for a parent with failed children", codeOf(failed), -9);
    unchanged("the code for a parent with failed children", hasOpenChildren(failed), true);
  });

  it("tell by their name that a processor moves its job", () => {
    const { DelayedError, RateLimitError, WaitingChildrenError, WaitingError } = bullmq;
    for (const Move of [DelayedError, RateLimitError, WaitingChildrenError, WaitingError])
      unchanged(`the name of ${Move.name}`, isMove(new Move()), true);
    unchanged("the error of Worker.RateLimitError()", isMove(bullmq.Worker.RateLimitError()), true);
    unchanged("the name of UnrecoverableError", isMove(new bullmq.UnrecoverableError()), false);
  });
});
