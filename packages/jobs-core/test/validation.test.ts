import { describe, expect, it, vi } from "vitest";
import { formatValue, requireBoolean, requireKnownKeys, requireOneOf } from "../src/adapter.ts";
import { AsyncJobQueue, JobQueue } from "../src/index.ts";

describe("requireKnownKeys", () => {
  it("passes options with known keys only, whatever their values", () => {
    for (const options of [{}, { runAt: undefined }, { runAt: 1, key: null }]) {
      expect(() => requireKnownKeys("the options", options, ["runAt", "key"])).not.toThrow();
    }
  });

  it("names the unknown key, and lists the known ones", () => {
    const call = () => requireKnownKeys("the options of `enqueue`", { runat: 1 }, ["runAt", "key"]);
    expect(call).toThrow(TypeError);
    for (const options of [null, 7, "runAt", [], [{ runAt: 1 }], new Map([["runAt", 1]]), new Set()]) {
      expect(() => requireKnownKeys("the options", options as never, ["runAt"])).toThrow("to be an object");
    }
    expect(call).toThrow('unknown option "runat" in the options of `enqueue`: expected `runAt`, `key`');
  });

  it("looks at inherited keys too, such as those of a signal", () => {
    for (const options of [new AbortController().signal, Object.create({ aborted: false })]) {
      expect(() => requireKnownKeys("the options", options, ["signal"])).toThrow("unknown option");
    }
    expect(() => requireKnownKeys("the options", Object.create({ signal: 1 }), ["signal"])).not.toThrow();
  });

  it("ignores what a program has added to all objects", () => {
    const all = Object.prototype as { added?: number };
    all.added = 1;
    try {
      requireKnownKeys("the options", {}, ["signal"]);
    } finally {
      // Before any other code sees it.
      delete all.added;
    }
  });

  it("refuses a signal in place of the options of a queue", async () => {
    const { signal } = new AbortController();
    const queue = new AsyncJobQueue();
    await expect(queue.drain(signal as never)).rejects.toThrow(TypeError);
    await expect(queue.runAll(signal as never)).rejects.toThrow("expected `runner`, `concurrency`, `signal`");
  });
});

describe("formatValue", () => {
  it.each<[unknown, string]>([
    [[], "[]"],
    [["link"], "link"],
    ["", '""'],
    ["link", '"link"'],
    [600, "600"],
    [null, "null"],
    [[Symbol("no text")], "something"],
  ])("shows %o", (value, text) => {
    expect(formatValue(value)).toBe(text);
  });
});

describe("requireOneOf", () => {
  it("passes the texts that are allowed, and lists them for any other value", () => {
    const check = (value: unknown) => () => requireOneOf("`mode`", value, ["link", "parent", "none"]);
    for (const value of ["link", "parent", "none"]) expect(check(value)).not.toThrow();
    for (const value of ["LINK", undefined, ["link"]]) {
      expect(check(value)).toThrow(TypeError);
      expect(check(value)).toThrow('expected `mode` to be "link", "parent" or "none", got ');
    }
  });
});

describe("requireBoolean", () => {
  it("passes true and false alone", () => {
    for (const value of [true, false]) expect(() => requireBoolean("`plain`", value)).not.toThrow();
    for (const value of [undefined, 0, "true"]) {
      expect(() => requireBoolean("`plain`", value)).toThrow("expected `plain` to be a boolean, got ");
    }
  });
});

describe("the options of a queue", () => {
  it("are refused if they are unknown, before any job runs", async () => {
    const run = vi.fn();
    const [queue, syncQueue] = [new AsyncJobQueue(), new JobQueue()];
    queue.push({ name: "a", run });
    syncQueue.push({ name: "a", run });
    const options = { concurency: 2 } as never;
    for (const call of [queue.drain(options), queue.runAll(options)]) {
      await expect(call).rejects.toThrow('unknown option "concurency"');
    }
    expect(() => syncQueue.drain(options)).toThrow(
      'unknown option "concurency" in the options: expected `runner`',
    );
    expect(() => syncQueue.runAll(options)).toThrow(TypeError);
    expect(run).not.toHaveBeenCalled();
    expect([queue.size, syncQueue.size]).toEqual([1, 1]);
  });
});

describe("a job that needs a payload first", () => {
  it("is refused with the way to give it one; a builder with a `run` is not", () => {
    const durable = { name: "send", handle() {}, with() {} };
    for (const queue of [new AsyncJobQueue(), new JobQueue()]) {
      expect(() => queue.push(durable as never)).toThrow(TypeError);
      expect(() => queue.push(durable as never)).toThrow("`.with(payload)`");
    }
    const builder = { name: "send", run: (_signal: AbortSignal) => {}, with() {} };
    expect(() => new AsyncJobQueue().push(builder)).not.toThrow();
  });
});
