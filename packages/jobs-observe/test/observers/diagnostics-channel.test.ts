import { AsyncLocalStorage } from "node:async_hooks";
import { asyncJob, job } from "@nidus/jobs-core";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { currentJob, currentJobObserver, ObservedJobRunner } from "../../src/index.ts";
import { diagnosticsChannelObserver, type JobRunMessage } from "../../src/observers/diagnostics-channel.ts";
import { collected } from "../support/garbage.ts";
import { Recorder } from "../support/recorder.ts";
import { recordStory, runChannel, runEvents, subscribe } from "../support/run-channels.ts";
import { settled } from "../support/settled.ts";

beforeEach(() => expect(runChannel.hasSubscribers).toBe(false));

/** Fails the test if the observer fails. */
function newRunner(): ObservedJobRunner {
  const errors: unknown[] = [];
  onTestFinished(() => expect(errors).toEqual([]));
  return new ObservedJobRunner(diagnosticsChannelObserver(), {
    onObserverError: (error) => errors.push(error),
  });
}

const broken = new RangeError("broken");
const fail = (): never => {
  throw broken;
};
const failLater = async (): Promise<never> => {
  await settled();
  throw broken;
};

describe("the order of messages", () => {
  it("of a sync run is that of traceSync", () => {
    const story = recordStory();
    expect(newRunner().run(job("works", () => 7))).toBe(7);
    expect(() => newRunner().run(job("fails", fail))).toThrow(broken);
    const ours = story.splice(0);

    runChannel.traceSync(() => 7, message("works"));
    expect(() => runChannel.traceSync(fail, message("fails"))).toThrow(broken);
    expect(ours).toEqual(["start works", "end works", "start fails", "error fails", "end fails"]);
    expect(story).toEqual(ours);
  });

  it("of an async run is that of tracePromise, and its promise settles last", async () => {
    const story = recordStory();
    await newRunner()
      .runAsync(asyncJob("works", settled))
      .then(() => story.push("settled works"));
    await newRunner()
      .runAsync(asyncJob("fails", failLater))
      .catch(() => story.push("settled fails"));
    const ours = story.splice(0);

    await runChannel.tracePromise(settled, message("works")).then(() => story.push("settled works"));
    await runChannel.tracePromise(failLater, message("fails")).catch(() => story.push("settled fails"));
    expect(ours).toEqual([
      ...["start works", "end works", "asyncStart works", "asyncEnd works", "settled works"],
      ...["start fails", "end fails", "error fails", "asyncStart fails", "asyncEnd fails", "settled fails"],
    ]);
    expect(story).toEqual(ours);
  });

  it("of an async run whose job throws at once is the same", async () => {
    const story = recordStory();
    await expect(newRunner().runAsync(asyncJob("fails", fail))).rejects.toBe(broken);
    expect(story).toEqual(["start fails", "end fails", "error fails", "asyncStart fails", "asyncEnd fails"]);
  });

  it("keeps nested and concurrent runs apart", async () => {
    const story = recordStory();
    const runner = newRunner();
    runner.run(job("outer", () => runner.run(job("inner", () => {}))));
    expect(story.splice(0)).toEqual(["start outer", "start inner", "end inner", "end outer"]);

    const messages = { end: [] as JobRunMessage[], asyncEnd: [] as JobRunMessage[] };
    subscribe("end", (message) => messages.end.push(message));
    subscribe("asyncEnd", (message) => messages.asyncEnd.push(message));
    const first = runner.runAsync(asyncJob("slow", () => settled().then(settled)));
    await runner.runAsync(asyncJob("fast", settled));
    await first;
    expect(messages.end.map(({ context }) => context.jobName)).toEqual(["slow", "fast"]);
    expect(messages.asyncEnd).toEqual(messages.end.toReversed());
  });
});

describe("the message", () => {
  it("is one object per run, completed when the run has finished", async () => {
    const messages: JobRunMessage[] = [];
    const known: [event: string, fields: string[]][] = [];
    for (const event of runEvents) {
      subscribe(event, (message) => {
        messages.push(message);
        known.push([event, Object.keys(message)]);
      });
    }
    const recorder = new Recorder();
    const runner = new ObservedJobRunner([diagnosticsChannelObserver(), recorder]);

    runner.run(job("sync", () => {}));
    await runner.runAsync(asyncJob("async", settled));

    const [running, ended] = [["context"], ["context", "finished", "status"]];
    expect(known).toEqual([
      ["start", running],
      ["end", ended],
      ["start", running],
      ["end", running],
      ["asyncStart", ended],
      ["asyncEnd", ended],
    ]);
    expect(new Set(messages).size).toBe(2);
    const [sync, async] = new Set(messages);
    const published = [sync?.context, sync?.finished, async?.context, async?.finished];
    expect(published.every((context, index) => context === recorder.heard[index]?.context)).toBe(true);
    expect([sync?.status, async?.status]).toEqual(["success", "success"]);
  });

  it("has the JobError on `error` and from then on, and tells cancelled from failed", async () => {
    const messages: JobRunMessage[] = [];
    subscribe("error", (message) => messages.push({ ...message }));
    const runner = newRunner();
    expect(() => runner.run(job("fails", fail))).toThrow(broken);
    await expect(runner.runAsync(asyncJob("fails", failLater))).rejects.toBe(broken);
    const abort = new AbortController();
    const waits = asyncJob("waits", async (signal) => {
      abort.abort();
      signal.throwIfAborted();
    });
    await expect(runner.runAsync(waits, { signal: abort.signal })).rejects.toBe(abort.signal.reason);

    expect(messages.map(({ status }) => status)).toEqual(["failure", "failure", "cancelled"]);
    expect(messages.map(({ error }) => error?.cause)).toEqual([broken, broken, abort.signal.reason]);
  });

  it("makes no run id unless a subscriber reads it", () => {
    let idsMade = 0;
    const runner = newRunner().runIdGenerator(() => `run-${++idsMade}`);
    const story = recordStory();
    runner.run(job("works", () => {}));
    expect([story.length, idsMade]).toEqual([2, 0]);
    const read: unknown[] = [];
    subscribe("end", ({ context, finished }) => read.push(context.runId, finished?.runId));
    runner.run(job("works", () => {}));
    expect(read).toEqual(["run-1", "run-1"]);
  });
});

describe("a store that is bound to `start`", () => {
  it("holds during the run, across awaits and in other observers' hooks, and no longer", async () => {
    const storage = new AsyncLocalStorage<string>();
    runChannel.start.bindStore(storage, (message) => (message as JobRunMessage).context.jobName);
    onTestFinished(() => void runChannel.start.unbindStore(storage));
    const seen: unknown[] = [];
    const look = (): void => void seen.push(storage.getStore());
    const runner = new ObservedJobRunner([
      { onJobStarted: look, onJobFinished: look },
      diagnosticsChannelObserver(),
    ]);

    runner.run(job("sync", look));
    expect(seen.splice(0)).toEqual(["sync", "sync", "sync"]);
    const looks = (name: string) =>
      asyncJob(name, async () => {
        await settled();
        return storage.getStore();
      });
    expect(await Promise.all(["a", "b"].map((name) => runner.runAsync(looks(name))))).toEqual(["a", "b"]);
    expect(seen).toEqual(["a", "b", "a", "b"]);
    expect(storage.getStore()).toBeUndefined();
  });
});

describe("`start`", () => {
  it("is published within the scopes of the observers before this one", () => {
    const names: unknown[] = [];
    subscribe("start", () => names.push(currentJob()?.jobName));
    for (const observers of [
      [currentJobObserver(), diagnosticsChannelObserver()],
      [diagnosticsChannelObserver(), currentJobObserver()],
    ]) {
      new ObservedJobRunner(observers).run(job("works", () => {}));
    }
    expect(names).toEqual(["works", undefined]);
  });
});

describe("subscribing", () => {
  it("during a run brings later runs, but not that one", async () => {
    const runner = newRunner();
    const first = runner.runAsync(asyncJob("first", settled));
    const story = recordStory();
    const second = runner.runAsync(asyncJob("second", () => settled().then(settled)));
    await first;
    expect(story).toEqual(["start second", "end second"]);
    await second;
    expect(story).toEqual(["start second", "end second", "asyncStart second", "asyncEnd second"]);
  });

  it("to one channel is enough to receive its messages", async () => {
    const ended: unknown[] = [];
    subscribe("asyncEnd", ({ status }) => ended.push(status));
    await newRunner().runAsync(asyncJob("works", settled));
    expect(ended).toEqual(["success"]);
  });

  it("may end during a run, which goes on unpublished", async () => {
    const runner = newRunner();
    const heard: string[] = [];
    const unsubscribes = runEvents.map((event) => subscribe(event, () => heard.push(event)));
    const result = await runner.runAsync(
      asyncJob("works", async () => {
        await settled();
        for (const unsubscribe of unsubscribes) unsubscribe();
        return "done";
      }),
    );
    expect(result).toBe("done");
    expect(heard).toEqual(["start", "end"]);
    expect(runner.run(job("works", () => 1))).toBe(1);
    expect(heard).toEqual(["start", "end"]);
  });
});

describe("runs", () => {
  it("go on when every subscriber throws, which Node raises as uncaught exceptions", async () => {
    const uncaught: unknown[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
    onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
    for (const event of runEvents) {
      subscribe(event, () => {
        throw new Error(event);
      });
    }
    const runner = newRunner();
    expect(runner.run(job("works", () => 7))).toBe(7);
    await expect(runner.runAsync(asyncJob("fails", failLater))).rejects.toBe(broken);
    await settled();
    const names = uncaught.map((error) => (error as Error).message);
    expect(names).toEqual(["start", "end", "start", "end", "error", "asyncStart", "asyncEnd"]);
  });

  it("are not kept once they have finished", async () => {
    const messages: WeakRef<JobRunMessage>[] = [];
    subscribe("start", (message) => messages.push(new WeakRef(message)));
    const runner = newRunner();
    for (let i = 0; i < 100; i++) {
      runner.run(job("sync", () => {}));
      await runner.runAsync(asyncJob("async", () => {}));
    }
    expect(messages).toHaveLength(200);
    expect(await collected(messages)).toBeGreaterThan(190);
  });

  it("that reject unhandled stay unhandled", async () => {
    const unhandled: unknown[] = [];
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (error) => unhandled.push(error));
    onTestFinished(() => {
      process.removeAllListeners("unhandledRejection");
      for (const listener of listeners) process.on("unhandledRejection", listener);
    });
    const story = recordStory();
    newRunner().runAsync(asyncJob("fails", fail));
    await settled();
    expect(story).toContain("error fails");
    expect(unhandled).toEqual([broken]);
  });
});

/** The message that Node's own calls publish in place of a run's. */
function message(jobName: string): JobRunMessage {
  return { context: { jobName } } as JobRunMessage;
}
