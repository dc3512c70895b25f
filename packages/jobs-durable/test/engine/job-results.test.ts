import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AwaitedJob, createEngine, type JobEnd } from "../../src/backend.ts";
import { defineJob, EngineUnavailableError, type JobEngine } from "../../src/index.ts";
import { fetched, ScriptedBackend } from "../support/scripted-backend.ts";

const pending: JobEnd = { state: "pending", jobName: "send_mail" };

let backend: ScriptedBackend;
let engine: JobEngine;
let errors: unknown[];
/** The ids of each question. */
let questions: string[][];
let answer: (job: AwaitedJob) => JobEnd;

beforeEach(() => {
  vi.useFakeTimers();
  backend = new ScriptedBackend();
  errors = [];
  questions = [];
  answer = () => pending;
  backend.ends = async (jobs) => {
    questions.push(jobs.map(({ id }) => id));
    return jobs.map((job) => answer(job));
  };
  engine = createEngine(backend, { runner: new ObservedJobRunner(), onError: (error) => errors.push(error) });
});

afterEach(async () => {
  await engine.close();
  vi.useRealTimers();
});

describe("result", () => {
  it("asks once for all who begin to wait at the same time, and then once a second for all", async () => {
    const ids = Array.from({ length: 1_200 }, (_, index) => `job-${index}`);
    const waits = ids.flatMap((id) => [engine.result(id), engine.result(id)]);
    await vi.advanceTimersByTimeAsync(0);
    expect(questions.map(({ length }) => length)).toEqual([500, 500, 200]);
    await vi.advanceTimersByTimeAsync(999);
    expect(questions).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(questions).toHaveLength(6);
    answer = ({ id }) => ({ state: "succeeded", resultText: JSON.stringify(id) });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await Promise.all(waits)).toEqual(ids.flatMap((id) => [id, id]));
    expect(questions).toHaveLength(9);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(questions, "nobody waits").toHaveLength(9);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tells the store the name of a job as soon as it knows it", async () => {
    const names: (string | undefined)[] = [];
    answer = ({ jobName }) => {
      names.push(jobName);
      return names.length < 3 ? pending : { state: "succeeded" };
    };
    const result = engine.result("job-1");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await result).toBeUndefined();
    expect(names).toEqual([undefined, "send_mail", "send_mail"]);
  });

  it("hears from a worker of this process how a job ended, without a question", async () => {
    const job = defineJob<unknown>({ name: "send_mail", run: () => ({ sent: true }) });
    const results = [engine.result("a"), engine.result("a")];
    await vi.advanceTimersByTimeAsync(0);
    expect(questions).toHaveLength(1);
    const worker = await engine.work({ jobs: [job] });
    backend.script.push(fetched("a"));
    expect(await Promise.all(results)).toEqual([{ sent: true }, { sent: true }]);
    expect(questions).toHaveLength(1);
    vi.useRealTimers();
    await worker.stop();
  });

  it("asks at once when the store tells of an end, and stops to listen some time after the last wait", async () => {
    let tell = (_jobId: string): void => {};
    let watched = 0;
    backend.watchEnds = async (jobName, onEnd) => {
      expect(jobName).toBe("send_mail");
      watched++;
      tell = onEnd;
      return async () => void watched--;
    };
    const [first, second] = [engine.result("job-1"), engine.result("job-2")];
    await vi.advanceTimersByTimeAsync(0);
    expect(watched, "one watcher for a name").toBe(1);
    const before = questions.length;
    answer = ({ id }) => (id === "job-1" ? { state: "succeeded", resultText: "1" } : pending);
    tell("job-1");
    tell("another job");
    expect(await first).toBe(1);
    expect(questions.slice(before)).toEqual([["job-1"]]);
    answer = () => ({ state: "cancelled" });
    tell("job-2");
    await expect(second).rejects.toThrow('the job "job-2" was cancelled');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(watched, "the next call may be near").toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(watched).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes on to wait while the store cannot be asked, but not if the first question fails", async () => {
    const result = engine.result("job-1");
    await vi.advanceTimersByTimeAsync(0);
    const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    answer = () => {
      throw away;
    };
    await expect(engine.result("job-2")).rejects.toThrow(EngineUnavailableError);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(errors).toHaveLength(1);
    answer = () => ({ state: "succeeded", resultText: "true" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await result).toBe(true);
  });

  it("rejects if the stored result is no JSON, or if the store gives a wrong answer", async () => {
    answer = () => ({ state: "succeeded", resultText: "{" });
    await expect(engine.result("job-1")).rejects.toThrow(/no JSON/);
    answer = () => ({ state: "done" }) as never;
    await expect(engine.result("job-1")).rejects.toThrow(
      /`ends` of scripted returned an end without a state/,
    );
    backend.ends = async () => [];
    await expect(engine.result("job-1")).rejects.toThrow(/an array of 1 ends/);
  });

  it("leaves no timer and no listener behind after a wait", async () => {
    const controller = new AbortController();
    const add = vi.spyOn(controller.signal, "addEventListener");
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const late = engine.result("job-1", { timeoutMs: 10, signal: controller.signal });
    const told = expect(late).rejects.toMatchObject({ name: "TimeoutError" });
    await vi.advanceTimersByTimeAsync(10);
    await told;
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not keep the engine from closing if the store does not let go of a watcher", async () => {
    backend.watchEnds = async () => () => new Promise(() => {});
    const result = engine.result("job-1");
    const told = expect(result).rejects.toThrow(/closed/);
    await vi.advanceTimersByTimeAsync(0);
    const closing = engine.close();
    await told;
    await vi.advanceTimersByTimeAsync(10_000);
    await closing;
    expect(errors.map(String)).toEqual([expect.stringContaining("no answer within 10000 ms")]);
  });
});
