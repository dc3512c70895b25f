import { asyncJob, JobError, job } from "@nidus/jobs-core";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { development } from "../../src/index.ts";
import { Written } from "./written.ts";

const reindex = job("reindex", () => {});
const fails = job("send_digest", () => {
  throw new Error("no such user");
});

function thrown(error: unknown): never {
  throw error;
}

describe("development", () => {
  test("writes a line for every run: when, how it ended, its name, how long it took and its attributes", async () => {
    const stream = new Written();
    const runner = development("users-api", { stream }).jobRunner().context("request_id", "req-1");
    runner.run(reindex);
    expect(() => runner.run(fails)).toThrow("no such user");
    const aborting = new AbortController();
    const waits = asyncJob("waits", async (signal) => {
      aborting.abort();
      signal.throwIfAborted();
    });
    await expect(runner.runAsync(waits, { signal: aborting.signal })).rejects.toThrow();
    const time = String.raw`\d\d:\d\d:\d\d\.\d{3}`;
    // A busy machine may need milliseconds, or seconds.
    const facts = String.raw`[\d.]+ m?s request_id=req-1`;
    expect(stream.lines).toEqual([
      expect.stringMatching(new RegExp(`^${time} ✓ reindex ${facts}$`)),
      expect.stringMatching(new RegExp(`^${time} ✗ send_digest ${facts} no such user$`)),
      expect.stringMatching(new RegExp(`^${time} ■ waits ${facts}$`)),
    ]);
  });

  test("shows the attempt and the outcome of a delivery", () => {
    const stream = new Written();
    const runner = development("users-api", { stream }).jobRunner();
    const delivery = {
      engine: "bullmq",
      queue: "q",
      jobId: "job-7",
      attempt: 2,
      maxAttempts: 5,
      enqueuedAt: new Date(),
      runAt: new Date(),
      correlationId: undefined,
      carrier: {},
    };
    for (const outcome of ["succeeded", "retried", "dead-lettered", "lost", "cancelled"] as const) {
      runner.settled({ jobName: "send_digest", delivery, outcome, error: undefined });
    }
    expect(stream.lines.map((line) => line.slice(13))).toEqual([
      "↻ send_digest will be retried id=job-7",
      "† send_digest is a dead letter id=job-7",
      "† send_digest has run, but its end was not recorded: its lease was lost id=job-7",
    ]);
    return runner
      .runAsync(
        asyncJob("a", () => {}),
        { delivery },
      )
      .then(() => {
        expect(stream.lines.at(-1)).toContain("attempt 2 of 5");
      });
  });

  test("uses colours if the stream is a terminal with colours", () => {
    const coloured = new Written({ isTerminal: true, hasColours: true });
    development("users-api", { stream: coloured }).jobRunner().run(reindex);
    expect(coloured.text).toContain("\u001b[32m✓");
    const plain = new Written({ isTerminal: true });
    development("users-api", { stream: plain }).jobRunner().run(reindex);
    expect(plain.text).not.toContain("\u001b[3");
  });

  test("writes names and messages on one line, without control characters", () => {
    const stream = new Written();
    const hostile = job("a\u001b[2J\nb\u202e\u009b", () => {
      throw new Error(`line\r\n${"x".repeat(10_000)}`);
    });
    const runner = development("users-api", { stream }).jobRunner();
    expect(() => runner.run(hostile)).toThrow();
    expect(stream.lines).toHaveLength(1);
    expect(stream.text).toContain(String.raw`a\u{1b}[2J\u{a}b\u{202e}\u{9b}`);
    expect(stream.text.length).toBeLessThan(700);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(stream.text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test("counts lines that come too fast, and writes a summary", async () => {
    const stream = new Written();
    const observability = development("users-api", { stream });
    const runner = observability.jobRunner();
    // All of it in one second, however busy the machine is.
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    for (let run = 0; run < 1_000; run++) runner.run(reindex);
    expect(() => runner.run(fails)).toThrow();
    expect(stream.lines).toHaveLength(200);
    await observability.shutdown();
    expect(stream.lines.slice(200)).toEqual(["… and 801 more lines", "1001 runs: 1000 succeeded, 1 failed"]);
  });

  test("buffers no more than about a megabyte for a stream that does not drain", () => {
    const stream = new Written();
    stream.stick();
    const runner = development("users-api", { stream }).jobRunner().context("text", "x".repeat(1_000));
    vi.useFakeTimers();
    for (let second = 0; second < 50; second++) {
      for (let run = 0; run < 200; run++) runner.run(reindex);
      vi.advanceTimersByTime(1_000);
    }
    vi.useRealTimers();
    expect(stream.writableLength).toBeLessThan(1_100_000);
  });

  test.each(["end", "destroy"] as const)("writes nothing to a stream after its %s", async (method) => {
    const stream = new Written();
    const write = vi.spyOn(stream, "write");
    const observability = development("users-api", { stream });
    const runner = observability.jobRunner();
    stream[method]();
    runner.run(reindex);
    await observability.shutdown();
    expect(write).not.toHaveBeenCalled();
  });

  test("writes the line of a run whose error has no readable message", () => {
    const stream = new Written();
    const runner = development("users-api", { stream }).jobRunner();
    const hostile = { toString: () => thrown("no text") };
    for (const message of [Symbol("text"), hostile, undefined]) {
      const error = Object.assign(new JobError("text"), { message });
      try {
        runner.run(job("hostile", () => thrown(error)));
      } catch {
        // Test runners cannot show it.
      }
    }
    expect(stream.lines).toHaveLength(3);
  });

  test("counts for each set-up separately, also for derived ones", async () => {
    const stream = new Written();
    const base = development("users-api", { stream });
    const [one, other] = [base.version("1"), base.version("2")];
    one.jobRunner().run(reindex);
    other.jobRunner().run(reindex);
    await one.shutdown();
    await other.shutdown();
    expect(stream.lines.filter((line) => line.startsWith("1 runs:"))).toHaveLength(2);
  });

  test.each([
    ["null for options", () => development("a", null as never), /the options/],
    ["an empty name", () => development(""), /service's name/],
    ["a stream that is none", () => development("a", { stream: {} as never }), /`stream`/],
    ["a number of jobs", () => development("a", { waiting: 7 as never }), /`waiting`/],
  ])("refuses %s with a TypeError, at the call", (_case, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });
});

describe("development, on a terminal", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Returns the last line, as a terminal would show it. */
  const lastLine = ({ text }: Written): string =>
    (text.split("\n").at(-1) as string).split("\u001b[2K").at(-1) as string;

  test("keeps a bar of finished, running and waiting jobs below the lines", async () => {
    const stream = new Written({ isTerminal: true });
    let waiting = 8;
    const observability = development("users-api", { stream, waiting: () => waiting });
    const runner = observability.jobRunner();
    let end = (): void => {};
    const running = runner.runAsync(
      asyncJob(
        "waits",
        () =>
          new Promise<void>((resolve) => {
            end = resolve;
          }),
      ),
    );
    expect(() => runner.run(fails)).toThrow();
    await vi.advanceTimersByTimeAsync(100);
    expect(lastLine(stream)).toBe("██░░░░░░░░░░░░░░░░░░░░░░ 1 of 10, 1 running, 1/s, 1 failed");
    waiting = 0;
    runner.run(reindex);
    await vi.advanceTimersByTimeAsync(100);
    expect(lastLine(stream)).toBe("████████████████░░░░░░░░ 2 of 3, 1 running, 2/s, 1 failed");
    end();
    await running;
    await vi.advanceTimersByTimeAsync(100);
    expect(lastLine(stream), "with nothing left, it goes").toBe("");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("asks engines for their backlogs, and skips those that do not answer", async () => {
    const stream = new Written({ isTerminal: true });
    const runner = development("users-api", { stream }).jobRunner();
    const observeBookkeeping = (): void => {};
    const backlog = async () => [{ jobName: "a", waiting: 3, oldestWaitingAt: undefined }];
    runner.opened({ engine: "one", observeBookkeeping, backlog });
    runner.opened({ engine: "away", observeBookkeeping, backlog: () => Promise.reject(new Error("away")) });
    runner.opened({ engine: "closed", observeBookkeeping, backlog: async () => undefined });
    runner.runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lastLine(stream)).toContain("0 of 4, 1 running");
  });

  test("cuts the bar to the terminal's width, and goes on when `waiting` throws", async () => {
    const stream = new Written({ isTerminal: true, columns: 30 });
    const waiting = (): number => {
      throw new Error("no queue");
    };
    development("users-api", { stream, waiting })
      .jobRunner()
      .runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(100);
    expect(lastLine(stream)).toBe("░░░░░░░░░░░░░░░░░░░░░░░░ 0 of");
    const unknown = new Written({ isTerminal: true, columns: 0 });
    const runner = development("users-api", { stream: unknown }).jobRunner();
    runner.runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(100);
    runner.run(reindex);
    expect(lastLine(unknown), "as it was").toBe("░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 1, 1 running, 0/s");
  });

  test.each([-8, Number.NaN, Infinity, 5n, "many", undefined])("handles %s waiting jobs", async (count) => {
    const stream = new Written({ isTerminal: true });
    development("users-api", { stream, waiting: () => count as never })
      .jobRunner()
      .runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(100);
    expect(lastLine(stream)).toContain(`0 of ${count === 5n ? 6 : 1}, 1 running`);
  });

  test("shows the bar again for runs after a shutdown", async () => {
    const stream = new Written({ isTerminal: true });
    const observability = development("users-api", { stream });
    const runner = observability.jobRunner();
    runner.run(reindex);
    await observability.shutdown();
    runner.runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(100);
    expect(lastLine(stream)).toContain("1 of 2, 1 running");
  });

  test("writes no bar to a stream that has ended", async () => {
    const stream = new Written({ isTerminal: true });
    const observability = development("users-api", { stream });
    observability.jobRunner().runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(100);
    const write = vi.spyOn(stream, "write");
    stream.end();
    await vi.advanceTimersByTimeAsync(1_000);
    await observability.shutdown();
    expect(write).not.toHaveBeenCalled();
  });

  test("leaves a whole line behind at shutdown", async () => {
    const stream = new Written({ isTerminal: true });
    const observability = development("users-api", { stream });
    observability.jobRunner().runAsync(asyncJob("waits", () => new Promise(() => {})));
    await vi.advanceTimersByTimeAsync(100);
    await observability.shutdown();
    expect(lastLine(stream)).toBe("");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lastLine(stream), "and nothing comes after it").toBe("");
  });
});

describe("development, when many runs fail alike", () => {
  test("writes three lines for failures of one kind, and their number at the end", async () => {
    const stream = new Written();
    const observability = development("users-api", { stream });
    const runner = observability.jobRunner();
    for (let index = 0; index < 120; index++) {
      expect(() =>
        runner.run(job("send_digest", () => thrown(new Error(`"a${index}@b" has no address`)))),
      ).toThrow();
    }
    expect(() => runner.run(fails)).toThrow("no such user");
    expect(stream.lines.filter((line) => line.includes("has no address"))).toHaveLength(3);
    expect(stream.lines.filter((line) => line.includes("no such user"))).toHaveLength(1);
    await observability.shutdown();
    expect(stream.lines.slice(-2)).toEqual([
      "121 runs: 0 succeeded, 121 failed",
      '120 × send_digest: "a0@b" has no address',
    ]);
  });

  test("tells a bounded number of kinds apart, and counts the others", async () => {
    const stream = new Written();
    const observability = development("users-api", { stream });
    const runner = observability.jobRunner();
    const word = (index: number): string =>
      [...String(index)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    for (let index = 0; index < 1_010; index++) {
      for (const _ of index < 15 ? [1, 2] : [1]) {
        expect(() => runner.run(job("send_digest", () => thrown(new Error(word(index)))))).toThrow();
      }
    }
    await observability.shutdown();
    expect(stream.lines.slice(-11)).toEqual([
      ...Array.from({ length: 10 }, () => expect.stringMatching(/^2 × send_digest: \w+$/)),
      "and 15 others",
    ]);
  });
});
