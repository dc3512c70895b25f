import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { gatherWrites } from "../../src/bullmq-internals/gathered-writes.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setImmediate", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

it("sends gathered commands though a test holds the timers", async () => {
  const calls: string[] = [];
  const stream = { cork: () => calls.push("cork"), uncork: () => calls.push("uncork") };
  for (let n = 0; n < 3; n++) gatherWrites({ stream } as never);
  expect(calls).toEqual(["cork"]);
  await nextTurn();
  expect(calls).toEqual(["cork", "uncork"]);
});
