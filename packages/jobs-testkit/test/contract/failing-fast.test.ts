import { type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EngineContractOptions, engineContract } from "../../src/contracts.ts";
import { overriding } from "../support/overriding.ts";

type Tests = ReadonlyMap<string, () => Promise<void>>;

function testsOf(options: Omit<EngineContractOptions, "test">): Tests {
  const tests = new Map<string, () => Promise<void>>();
  engineContract({ ...options, test: (name, _options, body) => tests.set(name, body) });
  return tests;
}

function messageOf(tests: Tests, name: string): Promise<string> {
  const body = tests.get(name) ?? (() => Promise.reject(new Error(`there is no test named "${name}"`)));
  return body().then(
    () => "passed",
    (error: Error) => `${error.message}\n${error.stack}`,
  );
}

const smoke = "smoke: stores one job, and runs it";
const another = "idempotency keys: takes a key for each position of a batch";

describe("a contract", () => {
  beforeEach(() => void vi.spyOn(console, "info").mockImplementation(() => {}));
  afterEach(() => vi.restoreAllMocks());

  it("runs its smoke test first, and no other test if that fails", async () => {
    const createEngine = vi.fn(({ runner, onError }): JobEngine => {
      const engine = memoryEngine({ runner, onError });
      return overriding(engine, { work: () => Promise.reject(new Error("relation jobs does not exist")) });
    });
    const tests = testsOf({ createEngine });
    expect([...tests.keys()][0]).toBe(smoke);
    expect(await messageOf(tests, another)).toMatch(
      /not run, since the smoke test failed: relation jobs does not exist/,
    );
    expect(await messageOf(tests, smoke)).toMatch(/^relation jobs does not exist/);
    expect(createEngine).toHaveBeenCalledTimes(1);
  });

  it("adds what `onError` heard to the message of a failed test", async () => {
    const tests = testsOf({
      createEngine({ runner, onError }) {
        const engine = memoryEngine({ runner, onError });
        return overriding(engine, {
          async enqueueMany() {
            for (let count = 0; count < 3; count++) onError(new RangeError("column lease is missing"));
            throw new Error("not stored");
          },
        });
      },
    });
    const message = await messageOf(tests, another);
    expect(message).toContain("not stored\nMeanwhile `onError` heard:");
    expect(message).toContain("- RangeError: column lease is missing (3 times)");
    expect(message.split("column lease is missing").length - 1, "in message and stack").toBe(2);
  });

  it("ends a test that takes longer than its limit, and says so", async () => {
    const tests = testsOf({
      timeoutMs: 200,
      createEngine({ runner, onError }) {
        const engine = memoryEngine({ runner, onError });
        return overriding(engine, { enqueueMany: () => new Promise<never>(() => {}) });
      },
    });
    expect(await messageOf(tests, another)).toContain("the test took longer than 200 ms");
  });

  it("gives test runners a longer limit than its own", () => {
    const timeouts: number[] = [];
    engineContract({
      test: (_name, { timeout }) => timeouts.push(timeout),
      createEngine: memoryEngine,
      timeoutMs: 50_000,
    });
    expect(Math.min(...timeouts.slice(1))).toBeGreaterThan(50_000);
  });

  it("names what it did not test", async () => {
    const tests = testsOf({ createEngine: memoryEngine });
    expect(await messageOf(tests, "not tested: names what this contract did not test")).toBe("passed");
    const [[line]] = vi.mocked(console.info).mock.calls as [[string]];
    expect(line).toMatch(/^engineContract of "memory" did not test: `persistence` \(not claimed/);
  });
});
