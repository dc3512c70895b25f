import assert from "node:assert/strict";
import { defineJob, type JobEngine, PayloadError } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

/** A schema without a library: it turns a string into its length. */
const length = {
  "~standard": {
    version: 1 as const,
    vendor: "nidus",
    validate: (value: unknown) =>
      typeof value === "string" ? { value: value.length } : { issues: [{ message: "expected a string" }] },
    types: undefined as unknown as { readonly input: string; readonly output: number },
  },
};

/** Copies a value as JSON, so that prototypes do not count in a comparison. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

async function refuses(engine: JobEngine, name: string, payload: unknown, text: RegExp): Promise<void> {
  const job = defineJob<unknown>({ name, run() {} });
  await assert.rejects(engine.enqueue(job, payload), (error) => {
    assert.ok(PayloadError.isInstance(error), `it was refused with ${String(error)}`);
    assert.match(error.message, text);
    return true;
  });
}

export const payloads: Behaviour<Kit> = (declare) => {
  declare("returns every kind of JSON unchanged", async (kit) => {
    const { engine } = await kit.open();
    const kinds: readonly unknown[] = [
      null,
      true,
      0,
      -1.5,
      "",
      'text with "quotes", a \\ and \u{1f600}',
      [],
      [1, [2, [3]], { a: [] }],
      {},
      { nested: { deeper: { still: "here" } }, "a key": 1, __proto__: null },
      "x".repeat(100_000),
      undefined,
    ];
    const seen = new Map<string, unknown>();
    const job = defineJob<unknown>({
      name: kit.name("kinds"),
      run: (payload, { delivery }) => void seen.set(delivery?.jobId ?? "", payload),
    });
    const ids = (await engine.enqueueMany(job, kinds)).map(({ id }) => id);
    await engine.work({ jobs: [job], concurrency: 4 });
    await eventually(() => assert.equal(seen.size, kinds.length));
    for (const [index, id] of ids.entries()) {
      const kind = kinds[index];
      // A store may order keys as it likes.
      assert.deepEqual(plain(seen.get(id)), plain(kind));
    }
  });

  declare(
    "refuses values that JSON would change or drop, with their path, and stores nothing",
    async (kit) => {
      const { engine } = await kit.open();
      const name = kit.name("refused");
      const cycle: Record<string, unknown> = {};
      cycle.self = { again: cycle };
      await refuses(engine, name, { a: [{ b: () => {} }] }, /payload\.a\[0\]\.b/);
      await refuses(engine, name, { a: Symbol("a") }, /payload\.a/);
      await refuses(engine, name, { a: 1n }, /payload\.a/);
      await refuses(engine, name, [Number.NaN], /payload\[0\]/);
      await refuses(engine, name, [Infinity], /payload\[0\]/);
      await refuses(engine, name, [undefined], /payload\[0\]/);
      await refuses(engine, name, { at: new Date() }, /payload\.at/);
      await refuses(engine, name, { map: new Map() }, /payload\.map/);
      await refuses(engine, name, { url: new URL("http://127.0.0.1") }, /payload\.url/);
      await refuses(engine, name, cycle, /cycle/);
      await refuses(engine, name, "x".repeat(1024 * 1024), /1048576 bytes/);
      assert.equal((await countsOf(engine, name)).waiting, 0);
    },
  );

  declare("stores null characters, or refuses them", async (kit) => {
    const { engine } = await kit.open();
    const name = kit.name("null");
    if (!engine.capabilities.nullCharacters) {
      await refuses(engine, name, { a: "\u0000" }, /\\u0000/);
      await refuses(engine, name, { "\u0000": 1 }, /\\u0000/);
      await refuses(engine, name, ["\ud800"], /\\ud800/);
      return;
    }
    const seen: unknown[] = [];
    const job = defineJob<string>({ name, run: (payload) => void seen.push(payload) });
    await engine.enqueue(job, "a\u0000b");
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(seen, ["a\u0000b"]));
  });

  declare("stores a copy, and hands out another to every attempt", async (kit) => {
    const { engine } = await kit.open();
    const seen: unknown[] = [];
    const job = defineJob<{ list: number[] }>({
      name: kit.name("copy"),
      backoff: { baseMs: 1, maxMs: 1 },
      run(payload) {
        seen.push(JSON.stringify(payload));
        payload.list.push(99);
        if (seen.length === 1) throw new Error("once");
      },
    });
    const payload = { list: [1] };
    const enqueued = engine.enqueue(job, payload);
    payload.list.push(2);
    await enqueued;
    payload.list.push(3);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(seen, ['{"list":[1]}', '{"list":[1]}']));
  });

  declare(
    "validates with a schema when a job is enqueued, and hands its output to the handler",
    async (kit) => {
      const { engine } = await kit.open();
      const seen: number[] = [];
      const job = defineJob({
        name: kit.name("schema"),
        schema: length,
        run: (size) => void seen.push(size),
      });
      await assert.rejects(engine.enqueue(job, 7 as never), PayloadError.isInstance);
      await engine.enqueue(job, "seven");
      await engine.work({ jobs: [job] });
      await eventually(() => assert.deepEqual(seen, [5]));
    },
  );

  declare("makes a stored payload that no longer fits its schema a dead letter", async (kit) => {
    const { engine, recorder } = await kit.open();
    const name = kit.name("changed");
    await engine.enqueue(defineJob<number>({ name, run() {} }), 7);
    await engine.work({ jobs: [defineJob({ name, schema: length, run() {} })] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(name), ["dead-lettered"]));
    const letter = (await engine.deadLetters({ limit: 10_000 })).find((each) => each.jobName === name);
    assert.match(letter?.error ?? "", /schema/);
    assert.equal(letter?.payload, 7);
  });
};
