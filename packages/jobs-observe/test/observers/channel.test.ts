import { JobError, job } from "@nidus/jobs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObservedJobRunner } from "../../src/index.ts";
import { jobObserverChannel, type ObservedJobEvent } from "../../src/observers/channel.ts";
import { settled } from "../support/settled.ts";

function channel(options?: Parameters<typeof jobObserverChannel>[0]) {
  const [observer, receiver] = jobObserverChannel(options);
  const runner = new ObservedJobRunner(observer);
  return { receiver, run: (name: string) => runner.run(job(name, () => {})) };
}

const label = (event: ObservedJobEvent): string => `${event.context.jobName} ${event.type}`;

describe("jobObserverChannel", () => {
  it("returns the buffered events, oldest first, and removes them", () => {
    const { receiver, run } = channel();
    run("a");
    run("b");
    expect(receiver.size).toBe(4);
    expect([...receiver.tryIter()].map(label)).toEqual([
      "a started",
      "a finished",
      "b started",
      "b finished",
    ]);
    expect([receiver.size, receiver.dropped]).toEqual([0, 0]);
    expect([...receiver.tryIter()]).toEqual([]);
  });

  it("carries the status and error of a finish", () => {
    const [observer, receiver] = jobObserverChannel();
    const failing = job("fail", () => {
      throw new Error("broke");
    });
    expect(() => new ObservedJobRunner(observer).run(failing)).toThrow();
    const [, finished] = [...receiver.tryIter()];
    expect(finished).toMatchObject({ type: "finished", status: "failure" });
    expect(finished?.type === "finished" && finished.error).toBeInstanceOf(JobError);
  });

  it("holds plain data that survive every copy, if `plain` is set", () => {
    const [observer, receiver] = jobObserverChannel({ plain: true });
    const runner = new ObservedJobRunner(observer).context("shard", 2);
    const thrown = Object.assign(new Error("broke"), { neverCloned: () => {} });
    const failing = job("fail", () => {
      throw thrown;
    });
    expect(() => runner.run(failing)).toThrow();
    const events = [...receiver.tryIter()];
    expect(structuredClone(events)).toEqual(events);
    expect(events[1]).toEqual({
      type: "finished",
      context: { ...events[0]?.context, durationMs: expect.any(Number) },
      status: "failure",
      error: { name: "JobError", message: "broke", code: "NIDUS_JOB_FAILED" },
    });
    expect(events[0]?.context).toEqual({
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      jobName: "fail",
      attributes: { shard: 2 },
      startedAtMs: expect.any(Number),
      durationMs: undefined,
      delivery: undefined,
    });
  });

  it("refuses unknown options", () => {
    expect(() => jobObserverChannel({ capasity: 1 } as never)).toThrow('unknown option "capasity"');
    expect(() => jobObserverChannel({ plain: 1 } as never)).toThrow("expected `plain` to be a boolean");
  });

  it.each([
    ["drop-oldest", ["b finished", "c started", "c finished"]],
    ["drop-newest", ["a started", "a finished", "b started"]],
    [undefined, ["b finished", "c started", "c finished"]],
  ] as const)("loses and counts what is beyond its capacity: %s", (overflow, kept) => {
    const { receiver, run } = channel({ capacity: 3, overflow });
    for (const name of ["a", "b", "c"]) run(name);
    expect([receiver.size, receiver.dropped]).toEqual([3, 3]);
    expect([...receiver.tryIter()].map(label)).toEqual(kept);
  });

  it("keeps 65,536 events unless told otherwise", () => {
    const { receiver, run } = channel();
    for (let i = 0; i < 40_000; i++) run("a");
    expect([receiver.size, receiver.dropped]).toEqual([65_536, 80_000 - 65_536]);
  });

  it("ends `for await` after close, once what is buffered was read", async () => {
    const { receiver, run } = channel();
    run("a");
    receiver.close();
    run("unheard");
    const read: string[] = [];
    for await (const event of receiver) read.push(label(event));
    expect(read).toEqual(["a started", "a finished"]);
    expect([receiver.size, receiver.dropped]).toEqual([0, 0]);
  });

  it("wakes a reader that waits, for events and for close", async () => {
    const { receiver, run } = channel();
    const read: string[] = [];
    const reading = (async () => {
      for await (const event of receiver) read.push(label(event));
    })();
    await settled();
    run("a");
    await settled();
    expect(read).toEqual(["a started", "a finished"]);
    receiver.close();
    receiver.close();
    await reading;
  });

  it("leaves the rest to the next reader after a break", async () => {
    const { receiver, run } = channel();
    run("a");
    run("b");
    for await (const event of receiver) {
      expect(label(event)).toBe("a started");
      break;
    }
    for (const event of receiver.tryIter()) {
      expect(label(event)).toBe("a finished");
      break;
    }
    expect([...receiver.tryIter()].map(label)).toEqual(["b started", "b finished"]);
  });

  it("misses no event that arrives before a reader waits", async () => {
    const { receiver, run } = channel();
    const reader = receiver[Symbol.asyncIterator]();
    const waiting = reader.next();
    run("a");
    expect(label((await waiting).value)).toBe("a started");
    await reader.return?.();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(receiver.size).toBe(1);
  });

  it("gives each event to one of several readers", async () => {
    const { receiver, run } = channel();
    const [first, second] = [receiver[Symbol.asyncIterator](), receiver[Symbol.asyncIterator]()];
    const waiting = [first.next(), second.next()];
    run("a");
    const events = await Promise.all(waiting);
    expect(events.map(({ value }) => label(value))).toEqual(["a started", "a finished"]);
    expect(receiver.size).toBe(0);
  });

  it.each([
    [{ capacity: 0 }, RangeError],
    [{ capacity: 1.5 }, RangeError],
    [{ capacity: "9" as never }, TypeError],
    [{ overflow: "block" as never }, TypeError],
  ])("refuses %o", (options, type) => {
    expect(() => jobObserverChannel(options)).toThrow(type);
  });

  it("keeps the newest or the oldest events in order, for any sends and reads", () => {
    const actions = fc.array(fc.oneof(fc.constant("send"), fc.nat({ max: 5 })), { maxLength: 200 });
    const overflows = fc.constantFrom("drop-oldest" as const, "drop-newest" as const);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), overflows, actions, (capacity, overflow, plan) => {
        const [observer, receiver] = jobObserverChannel({ capacity, overflow });
        const model: number[] = [];
        let [sent, dropped] = [0, 0];
        for (const action of plan) {
          if (action === "send") {
            observer.onJobStarted?.({ jobName: String(sent) } as never);
            if (model.length < capacity) model.push(sent);
            else {
              dropped++;
              if (overflow === "drop-oldest") {
                model.shift();
                model.push(sent);
              }
            }
            sent++;
          } else {
            const iterator = receiver.tryIter();
            for (let i = 0; i < Number(action); i++) {
              const expected = model.shift();
              const { value } = iterator.next() as { value?: ObservedJobEvent };
              expect(value?.context.jobName).toBe(expected === undefined ? undefined : String(expected));
            }
          }
          expect([receiver.size, receiver.dropped]).toEqual([model.length, dropped]);
        }
      }),
    );
  });
});
