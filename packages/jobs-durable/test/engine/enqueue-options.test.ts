import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { createEngine, type StartableEngine } from "../../src/backend.ts";
import { defineJob, UnsupportedError } from "../../src/index.ts";
import { ScriptedBackend } from "../support/scripted-backend.ts";

const sendMail = defineJob<unknown>({ name: "send_mail", run() {} });

function engineOn(backend: ScriptedBackend): StartableEngine {
  return createEngine(backend, { runner: new ObservedJobRunner() });
}

describe("the options of an enqueue", () => {
  it("reach the backend: keys and times beside the job, attributes and backoff in its envelope", async () => {
    const backend = new ScriptedBackend();
    const engine = engineOn(backend);
    const attributes = { tenant: "a", size: 2 };
    await engine.enqueue(sendMail, 1, { uniqueKey: "k", uniqueForMs: 5, priority: 3, retainMs: 0 });
    await engine.enqueue(sendMail, 2, { attributes, backoff: { fixedMs: 7 } });
    const [first, second] = backend.inserted;
    expect(first).toMatchObject({ uniqueKey: "k", uniqueForMs: 5, priority: 3, retainMs: 0 });
    expect(second).toMatchObject({ uniqueKey: undefined, uniqueForMs: undefined, retainMs: undefined });
    expect(backend.envelopes).toMatchObject([
      { payload: 1 },
      { payload: 2, attributes, backoff: { fixedMs: 7 } },
    ]);
  });

  it("fall back to the job's own priority, also for its schedules", async () => {
    const backend = new ScriptedBackend();
    const engine = engineOn(backend);
    const late = defineJob({ name: "late", priority: 9, run() {} });
    await engine.enqueue(late);
    await engine.enqueue(late, undefined, { priority: 0 });
    expect(backend.inserted.map(({ priority }) => priority)).toEqual([9, 0]);
  });

  it("answer with the id of the job that holds the unique key", async () => {
    const backend = new ScriptedBackend();
    backend.onInsert = async () => [{ id: "the first", isDuplicate: true }];
    const answer = await engineOn(backend).enqueue(sendMail, 1, { uniqueKey: "k" });
    expect(answer).toEqual({ id: "the first", isDuplicate: true });
  });

  it.each<[string, object]>([
    ["has no priorities", { priority: 1 }],
    ["has no unique keys", { uniqueKey: "k" }],
  ])("are refused by an engine that %s", async (message, options) => {
    const backend = new ScriptedBackend();
    backend.capabilities = { ...backend.capabilities, priorities: false, uniqueKeys: false };
    const error = await engineOn(backend)
      .enqueue(sendMail, 1, options)
      .catch((thrown: unknown) => thrown);
    expect(UnsupportedError.isInstance(error)).toBe(true);
    expect(String(error)).toContain(`scripted ${message}`);
    expect(backend.inserted).toEqual([]);
  });

  it.each<[string, object]>([
    ["expected `uniqueKey` or `idempotencyKey`, got both", { uniqueKey: "a", idempotencyKey: "a" }],
    ["`uniqueForMs` needs `uniqueKey`", { uniqueForMs: 5 }],
    [
      "expected `uniqueForMs` to be a whole number from 1 to 2147483647000, got 0",
      { uniqueKey: "a", uniqueForMs: 0 },
    ],
    ["expected `priority` to be a whole number from 0 to 9, got 10", { priority: 10 }],
    ["expected `retainMs` to be a whole number from 0 to 2147483647000, got -1", { retainMs: -1 }],
    ["expected `backoff.fixedMs` to be a whole number from 0", { backoff: { fixedMs: -1 } }],
    [
      'unknown option "maxMs" in `backoff` with `fixedMs`: expected `fixedMs`',
      { backoff: { fixedMs: 1, maxMs: 2 } },
    ],
    [
      'expected the attribute "tenant" to be a string, a finite number or a boolean, got object',
      { attributes: { tenant: {} } },
    ],
    [
      "expected `attributes` to be at most 2048 bytes of JSON, got 2056",
      { attributes: { a: "x".repeat(2_048) } },
    ],
    [
      "expected `attributes` to be at most 32 attributes, got 33",
      { attributes: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [at, 1])) },
    ],
    ["expected `uniqueKey` to be at most 512 characters, got 600", { uniqueKey: "x".repeat(600) }],
    ["expected `attributes` to be an object, got null", { attributes: null }],
    ["expected `attributes` to be an object, got false", { attributes: false }],
    ["expected `backoff` to be an object, got null", { backoff: null }],
    ["expected `backoff` to be an object, got 0", { backoff: 0 }],
  ])("are refused in plain words: %s", async (message, options) => {
    const backend = new ScriptedBackend();
    await expect(engineOn(backend).enqueue(sendMail, 1, options)).rejects.toThrow(message);
    expect(backend.inserted).toEqual([]);
  });

  it("show no value of an attribute in an error", async () => {
    const secret = "to: ada@example.org";
    const attributes = { to: `${secret}\u0000` };
    const call = engineOn(new ScriptedBackend()).enqueue(sendMail, 1, { attributes });
    await expect(call).rejects.toThrow('expected the attribute "to" to be well-formed text');
    await expect(call).rejects.not.toThrow(secret);
  });
});
