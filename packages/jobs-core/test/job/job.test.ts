import { describe, expect, it } from "vitest";
import { type AsyncJob, asyncJob, type Job, job } from "../../src/index.ts";

describe("job and asyncJob", () => {
  it("make a job of a name and a function", () => {
    const sync = job("add", () => 1 + 1);
    expect(sync.name).toBe("add");
    expect(sync.run()).toBe(2);
  });

  it("hand the signal to an async job", async () => {
    const { signal } = new AbortController();
    expect(await asyncJob("echo", async (given) => given).run(signal)).toBe(signal);
  });

  it.each([
    ["no name", undefined, () => {}, "got undefined"],
    ["an empty name", "", () => {}, 'got ""'],
    ["a name that is a number", 7, () => {}, "got 7"],
    ["no function", "send", undefined, 'expected `run` of "send" to be a function, got undefined'],
    ["a string for a function", "send", "run", 'got "run"'],
  ])("refuse %s", (_, name, run, message) => {
    for (const make of [job, asyncJob]) {
      const call = () => make(name as unknown as string, run as unknown as () => void);
      expect(call).toThrow(TypeError);
      expect(call).toThrow(message);
    }
  });

  it("fit classes that implement the interfaces", async () => {
    class Counted implements Job<number>, AsyncJob<number> {
      readonly name = "counted";
      run(): number {
        return 3;
      }
    }
    expect(new Counted().run()).toBe(3);
  });
});
