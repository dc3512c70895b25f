import { inspect } from "node:util";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createEngine, type NewJob } from "../../src/backend.ts";
import {
  defineJob,
  EngineUnavailableError,
  EnqueuedInPartError,
  type EnqueuedJob,
  type JobEngine,
} from "../../src/index.ts";
import { ScriptedBackend } from "../support/scripted-backend.ts";

const sendMail = defineJob<unknown>({ name: "send_mail", run() {} });
const secret = "to: ada@example.org";

const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

afterEach(() => {
  vi.useRealTimers();
});

function stored({ id }: NewJob): EnqueuedJob {
  return { id, isDuplicate: false };
}

function opened(): { backend: ScriptedBackend; engine: JobEngine; slices: number[] } {
  const backend = new ScriptedBackend();
  const slices: number[] = [];
  backend.onInsert = async (jobs) => {
    slices.push(jobs.length);
    return jobs.map(stored);
  };
  const engine = createEngine(backend, { runner: new ObservedJobRunner(), answerWithinMs: 1_000 });
  return { backend, engine, slices };
}

describe("a batch", () => {
  it("is stored in slices, with a turn of the event loop between them, and answered in order", async () => {
    const { backend, engine, slices } = opened();
    let turns = 0;
    const turn = (): void => {
      turns++;
      if (slices.length < 3) setImmediate(turn);
    };
    setImmediate(turn);
    const enqueued = await engine.enqueueMany(sendMail, Array(1_200).fill(secret));
    expect(slices).toEqual([500, 500, 200]);
    expect(turns).toBeGreaterThanOrEqual(2);
    expect(enqueued.map(({ id }) => id)).toEqual(backend.inserted.map(({ id }) => id));
  });

  it("of large payloads is stored in slices of a few megabytes", async () => {
    const { engine, slices } = opened();
    await engine.enqueueMany(sendMail, Array(12).fill("x".repeat(1_000_000)));
    expect(slices).toEqual([5, 5, 2]);
  });

  it("may take longer than one answer, if each slice is answered in time", async () => {
    const { backend, engine } = opened();
    // Six slices of 600 ms each, and a deadline of a second for each.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    backend.onInsert = async (jobs) => {
      await vi.advanceTimersByTimeAsync(600);
      return jobs.map(stored);
    };
    expect(await engine.enqueueMany(sendMail, Array(2_600).fill(1))).toHaveLength(2_600);
  });

  it("is checked as a whole before anything is stored", async () => {
    const { engine, slices } = opened();
    await expect(engine.enqueueMany(sendMail, [...Array(700).fill(1), 1n])).rejects.toThrow(TypeError);
    expect(slices).toEqual([]);
  });
});

describe("a batch that fails", () => {
  it("in its first slice fails with the store's own error: nothing was stored", async () => {
    const { backend, engine } = opened();
    const refused = new Error("relation does not exist");
    backend.onInsert = () => Promise.reject(refused);
    expect(await errorOf(engine.enqueueMany(sendMail, Array(700).fill(secret)))).toBe(refused);
  });

  it("later says which jobs were stored, why it failed, and no payload", async () => {
    const { backend, engine } = opened();
    backend.onInsert = async (jobs) => {
      if (jobs.length < 500) throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
      return jobs.map(({ id }, index) => ({ id, isDuplicate: index === 0 }));
    };
    const error = (await errorOf(
      engine.enqueueMany(sendMail, Array(501).fill(secret)),
    )) as EnqueuedInPartError;
    expect(EnqueuedInPartError.isInstance(error)).toBe(true);
    expect(error.message).toBe(
      "500 of 501 jobs were stored, then: scripted at nowhere:1 is unreachable (Error: read ECONNRESET)",
    );
    expect(EngineUnavailableError.isInstance(error.cause)).toBe(true);
    expect(error.jobs).toHaveLength(501);
    expect(error.jobs[0]).toEqual({ id: backend.inserted[0]?.id, isDuplicate: true });
    expect(error.jobs[499]).toEqual({ id: backend.inserted[499]?.id, isDuplicate: false });
    expect(error.jobs[500]).toBeUndefined();
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain(secret);
  });

  it("in the middle of a slice says which jobs of it the store took", async () => {
    const { backend, engine } = opened();
    backend.onInsert = async (jobs) => {
      if (jobs.length === 500) return jobs.map(stored);
      const known = jobs.map((job, index) => (index === 1 ? stored(job) : undefined));
      throw new EnqueuedInPartError(known, new Error("OOM"));
    };
    const error = (await errorOf(engine.enqueueMany(sendMail, Array(503).fill(1)))) as EnqueuedInPartError;
    expect(error.message).toBe("501 of 503 jobs were stored, then: OOM");
    expect(error.jobs.slice(500).map((job) => job !== undefined)).toEqual([false, true, false]);
  });
});
