import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Job, JobError, JobQueue, job } from "../../src/index.ts";
import { settled } from "../support/deferred.ts";
import { hostileProxy } from "../support/hostile.ts";

const failing = (name: string): Job =>
  job(name, () => {
    throw new Error(`${name} broke`);
  });

describe("JobQueue", () => {
  it("runs jobs in insertion order and goes on after failures", () => {
    const ran: string[] = [];
    const queue = new JobQueue();
    queue.push(
      job("a", () => void ran.push("a")),
      failing("b"),
    );
    queue.pushAll(new Set([job("c", () => void ran.push("c"))]));
    expect(queue.size).toBe(3);
    expect(queue.isEmpty).toBe(false);

    const report = queue.runAll();

    expect(ran).toEqual(["a", "c"]);
    expect(report.completed).toEqual(["a", "c"]);
    expect(report.failed.map(({ jobName, error }) => [jobName, error.message])).toEqual([["b", "b broke"]]);
    expect(report.failed[0]?.error).toBeInstanceOf(JobError);
    expect(report.isSuccess).toBe(false);
    expect(report.wasAborted).toBe(false);
    expect([report.cancelled, report.notStarted]).toEqual([[], []]);
  });

  it("is empty to begin with, and a run of nothing is a success", () => {
    const queue = new JobQueue();
    expect([queue.size, queue.isEmpty]).toEqual([0, true]);
    expect(queue.runAll().isSuccess).toBe(true);
    expect(queue.drain().isSuccess).toBe(true);
  });

  it("runAll keeps the jobs for another run, and drain takes them out", () => {
    let runs = 0;
    const queue = new JobQueue();
    queue.push(job("count", () => void runs++));
    queue.runAll();
    queue.runAll();
    expect([runs, queue.size]).toEqual([2, 1]);
    queue.drain();
    queue.drain();
    expect([runs, queue.size]).toEqual([3, 0]);
  });

  it("leaves jobs pushed during runAll for the next call", () => {
    const queue = new JobQueue();
    queue.push(job("parent", () => queue.push(job("child", () => {}))));
    expect(queue.runAll().completed).toEqual(["parent"]);
    expect(queue.size).toBe(2);
  });

  it("runs jobs pushed during drain, also by jobs pushed during it", () => {
    const queue = new JobQueue();
    const countdown = (n: number): Job =>
      job(`left ${n}`, () => n > 0 && queue.push(countdown(n - 1))) as Job;
    queue.push(countdown(3));
    expect(queue.drain().completed).toEqual(["left 3", "left 2", "left 1", "left 0"]);
    expect(queue.isEmpty).toBe(true);
  });

  it("takes a job out before it starts", () => {
    const queue = new JobQueue();
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) queue.push(job("look", () => void sizes.push(queue.size)));
    queue.drain();
    expect(sizes).toEqual([2, 1, 0]);
  });

  it("runs each job once when a drain starts within a drain", () => {
    const ran: string[] = [];
    const queue = new JobQueue();
    queue.push(
      job("outer", () => void ran.push("outer", ...queue.drain().completed)),
      job("inner", () => void ran.push("inner ran")),
    );
    const report = queue.drain();
    expect(ran).toEqual(["inner ran", "outer", "inner"]);
    expect(report.completed).toEqual(["outer"]);
  });

  it("finishes the jobs of a runAll that were cleared meanwhile, and ends a drain", () => {
    const make = (): JobQueue => {
      const queue = new JobQueue();
      queue.push(
        job("clear", () => queue.clear()),
        job("after", () => {}),
      );
      return queue;
    };
    const queue = make();
    expect(queue.runAll().completed).toEqual(["clear", "after"]);
    expect(queue.size).toBe(0);
    expect(make().drain().completed).toEqual(["clear"]);
  });

  it("hands each job to its runner", () => {
    const seen: string[] = [];
    const runner = {
      run<T>(given: Job<T>): T {
        seen.push(given.name);
        return given.run();
      },
    };
    const queue = new JobQueue();
    queue.push(
      job("a", () => {}),
      failing("b"),
    );
    expect(queue.runAll({ runner }).failed).toHaveLength(1);
    expect(queue.drain({ runner }).completed).toEqual(["a"]);
    expect(seen).toEqual(["a", "b", "a", "b"]);
  });

  it("fails a job that returns a promise, and handles its rejection", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    try {
      class Forgetful implements Job {
        readonly name = "forgetful";
        async run(): Promise<void> {
          throw new Error("nobody waits");
        }
      }
      const queue = new JobQueue();
      const jobs: Job[] = [new Forgetful()];
      queue.pushAll(jobs);
      const report = queue.runAll();
      expect(report.completed).toEqual([]);
      expect(report.failed[0]?.error.message).toBe(
        'the job "forgetful" returned a promise; push it to an AsyncJobQueue',
      );
      await settled();
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });

  it("completes a job whose result only looks hostile", () => {
    const queue = new JobQueue();
    const result = hostileProxy();
    queue.push(job("odd", () => result));
    expect(queue.runAll().completed).toEqual(["odd"]);
  });

  it("goes on if a job's name can no longer be read", () => {
    const queue = new JobQueue();
    let isRead = false;
    queue.push(
      {
        get name(): string {
          if (isRead) throw new Error("gone");
          isRead = true;
          return "fleeting";
        },
        run() {},
      },
      job("next", () => {}),
    );
    const report = queue.runAll();
    expect(report.completed).toEqual(["next"]);
    expect(report.failed.map((failure) => failure.jobName)).toEqual(["?"]);
  });

  it("refuses a value that is no job before it queues any", () => {
    const queue = new JobQueue();
    const good = job("good", () => {});
    for (const bad of [
      undefined,
      null,
      7,
      {},
      { name: "", run() {} },
      { name: "x" },
      { name: "x", run: 1 },
    ]) {
      expect(() => queue.push(good, bad as unknown as Job)).toThrow(TypeError);
      expect(() => queue.pushAll([good, bad as unknown as Job])).toThrow(/^expected a job's `name`|`run`/);
    }
    function* breaks(): Generator<Job> {
      yield good;
      throw new Error("iterable broke");
    }
    expect(() => queue.pushAll(breaks())).toThrow("iterable broke");
    expect(queue.size).toBe(0);
  });

  it("refuses a runner without `run`", () => {
    const queue = new JobQueue();
    expect(() => queue.runAll({ runner: {} as never })).toThrow(
      "expected `runner.run` to be a function, got",
    );
    expect(() => queue.drain({ runner: null as never })).toThrow(TypeError);
  });

  it("reports every job once, whatever fails or pushes", () => {
    const plan = fc.array(fc.record({ fails: fc.boolean(), pushes: fc.nat({ max: 3 }) }), { maxLength: 40 });
    fc.assert(
      fc.property(plan, fc.boolean(), (steps, drains) => {
        const queue = new JobQueue();
        const ran: string[] = [];
        const child = (name: string): Job => job(name, () => void ran.push(name));
        steps.forEach(({ fails, pushes }, index) => {
          queue.push(
            job(`${index}`, () => {
              ran.push(`${index}`);
              for (let i = 0; i < pushes; i++) queue.push(child(`${index}.${i}`));
              if (fails) throw new Error("planned");
            }),
          );
        });
        const report = drains ? queue.drain() : queue.runAll();
        const names = [...report.completed, ...report.failed.map((failure) => failure.jobName)];
        expect(new Set(ran).size).toBe(ran.length);
        expect([...names].sort()).toEqual([...ran].sort());
        const children = steps.reduce((sum, { pushes }) => sum + pushes, 0);
        expect(names.length).toBe(drains ? steps.length + children : steps.length);
        expect(queue.size).toBe(drains ? 0 : steps.length + children);
      }),
    );
  });
});
