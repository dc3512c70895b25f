import { describe, expect, it } from "vitest";
import { MemoryBackend } from "../../jobs-durable/src/memory/memory-backend.ts";
import { type BackendContractOptions, backendContract } from "../src/contracts.ts";
import { ListBackend, type ListStore } from "./support/list-backend.ts";

const dayMs = 86_400_000;

describe("the backend of memoryEngine", () => {
  backendContract({
    test: it.concurrent,
    createBackend: () => new MemoryBackend(dayMs, dayMs),
    createWithRetention: ({ retainSucceededMs, retainDeadLettersMs }) =>
      new MemoryBackend(retainSucceededMs, retainDeadLettersMs),
  });
});

describe("a backend with leases", () => {
  const store: ListStore = new Map();
  backendContract({
    test: it.concurrent,
    createBackend: ({ leaseMs }) => new ListBackend(store, leaseMs),
    createWithRetention: (retention) => new ListBackend(new Map(), undefined, retention),
    // Long beside the pauses that a busy machine makes.
    leaseMs: 3_000,
  });
});

describe("backendContract", () => {
  it("refuses wrong options", () => {
    const options: BackendContractOptions = {
      test: it,
      createBackend: () => new MemoryBackend(dayMs, dayMs),
    };
    const refused =
      (more: object): (() => void) =>
      () =>
        backendContract({ ...options, ...more });
    expect(refused({ test: "test" })).toThrow("`test`");
    expect(refused({ createBackend: undefined })).toThrow("`createBackend`");
    expect(refused({ transaction: {} })).toThrow("`transaction`");
    expect(refused({ createOutage: "no" })).toThrow("`createOutage`");
    expect(refused({ createWithRetention: 1 })).toThrow("`createWithRetention`");
    expect(refused({ secrets: [""] })).toThrow("`secrets`");
    expect(refused({ leaseMs: 0 })).toThrow(RangeError);
    expect(refused({ timeoutMs: 0.5 })).toThrow(RangeError);
    expect(refused({ makeBackend() {} })).toThrow(/"makeBackend".*`createBackend`/);
  });
});
