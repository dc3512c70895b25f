import { memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { engineContract } from "../src/contracts.ts";

describe("memoryEngine", () => {
  engineContract({
    test: it.concurrent,
    createEngine: ({ runner, name }) => memoryEngine({ runner, name }),
    createWithRetention: ({ runner, retainSucceededMs, retainDeadLettersMs }) =>
      memoryEngine({ runner, retainSucceededMs, retainDeadLettersMs }),
  });
});

describe("engineContract", () => {
  it("refuses wrong options", () => {
    const options = { test: it, createEngine: () => memoryEngine({ runner: new ObservedJobRunner() }) };
    expect(() => engineContract({ ...options, test: "test" as never })).toThrow("`test`");
    expect(() => engineContract({ ...options, createEngine: undefined as never })).toThrow("`createEngine`");
    expect(() => engineContract({ ...options, createWithRetention: {} as never })).toThrow(
      "`createWithRetention`",
    );
    expect(() => engineContract({ ...options, makeEngine() {} } as never)).toThrow(
      /"makeEngine".*`test`, `createEngine`/,
    );
  });
});
