import { ObservedJobRunner, type OpenedEngineContext } from "@nidus/jobs-observe";
import { describe, expect, it, vi } from "vitest";
import {
  createEngine,
  type EngineOptions,
  type StartableEngine,
  type StoredSchedule,
} from "../../src/backend.ts";
import { defineJob, UnsupportedError } from "../../src/index.ts";
import { ScriptedBackend } from "../support/scripted-backend.ts";

const sendMail = defineJob<unknown>({ name: "send_mail", run() {} });

function engineOn(backend: ScriptedBackend, options: Partial<EngineOptions> = {}): StartableEngine {
  return createEngine(backend, { runner: new ObservedJobRunner(), ...options });
}

function errorOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: Error) => error,
  );
}

describe("schedule", () => {
  function scheduling(): ScriptedBackend {
    const backend = new ScriptedBackend();
    backend.capabilities = { ...backend.capabilities, schedules: true, scheduleKeys: true, intervals: true };
    backend.schedule = vi.fn(async () => {});
    backend.unschedule = vi.fn(async () => true);
    return backend;
  }

  it("hands job and rule to the engine, in UTC by default", async () => {
    const backend = scheduling();
    const engine = engineOn(backend);
    const [startAt, endAt] = [new Date(1_000), new Date(4_000_000_000_000)];
    await engine.schedule(sendMail, "0 3 * * *", { to: "ann" });
    await engine.schedule(sendMail, "0 3 * * *", undefined, { timeZone: "Europe/Vienna", key: "a" });
    await engine.schedule(sendMail, { everyMs: 1_500 }, undefined, { startAt, endAt });
    const job = expect.objectContaining({
      name: "send_mail",
      envelopeText: '{"payloadBytes":12,"payload":{"to":"ann"}}',
    });
    expect(backend.schedule).toHaveBeenNthCalledWith(1, job, { cron: "0 3 * * *", timeZone: "UTC" });
    const vienna = { cron: "0 3 * * *", timeZone: "Europe/Vienna", key: "a" };
    expect(backend.schedule).toHaveBeenNthCalledWith(2, expect.anything(), vienna);
    const interval = { everyMs: 1_500, timeZone: "UTC", startAtMs: 1_000, endAtMs: 4_000_000_000_000 };
    expect(backend.schedule).toHaveBeenNthCalledWith(3, expect.anything(), interval);
    expect(await engine.unschedule(sendMail, { key: "a" })).toBe(true);
    expect(backend.unschedule).toHaveBeenCalledWith("send_mail", "a");
    expect(await engine.unschedule("a job that the code no longer has")).toBe(true);
    expect(backend.unschedule).toHaveBeenLastCalledWith("a job that the code no longer has", undefined);
  });

  it("refuses a zone that is none, an empty cron, an empty key and a payload that is no JSON", async () => {
    const engine = engineOn(scheduling());
    const calls = [
      engine.schedule(sendMail, "* * * * *", 1, { timeZone: "Mars/Olympus" }),
      engine.schedule(sendMail, "", 1),
      engine.schedule(sendMail, "* * * * *", 1, { key: "" }),
      engine.schedule(sendMail, "* * * * *", 1, { timeZone: 5 as never }),
      engine.schedule(sendMail, "* * * * *", 1, { startAt: new Date(Number.NaN) }),
      engine.schedule(sendMail, "* * * * *", 1, { endAt: 5 as never }),
      engine.schedule(sendMail, "* * * * *", 1, { every: 5 } as never),
      engine.schedule(sendMail, "* * * * *", 1, null as never),
      engine.schedule(sendMail, { everyMs: 5, every: 5 } as never, 1),
      engine.schedule(sendMail, {} as never, 1),
      engine.schedule(sendMail, null as never, 1),
      engine.schedule(sendMail, "* * * * *", 1n),
      engine.unschedule(sendMail, "a" as never),
      engine.unschedule(sendMail, { kee: "a" } as never),
      engine.unschedule(""),
    ];
    for (const call of calls) expect(await errorOf(call)).toBeInstanceOf(TypeError);
  });

  it("refuses intervals and bounds that are out of range", async () => {
    const engine = engineOn(scheduling());
    const calls = [
      engine.schedule(sendMail, { everyMs: 0 }, 1),
      engine.schedule(sendMail, { everyMs: 0.5 }, 1),
      engine.schedule(sendMail, { everyMs: 1e15 }, 1),
      engine.schedule(sendMail, "* * * * *", 1, { startAt: new Date(-1) }),
      engine.schedule(sendMail, "* * * * *", 1, { endAt: new Date(Date.UTC(10_000, 0)) }),
      engine.schedule(sendMail, "* * * * *", 1, { startAt: new Date(2), endAt: new Date(1) }),
    ];
    for (const call of calls) expect(await errorOf(call)).toBeInstanceOf(RangeError);
  });

  it("lists schedules by name and key, with the moment that was the last", async () => {
    const backend = scheduling();
    const hourMs = 3_600_000;
    const lastMs = Math.floor(Date.now() / hourMs) * hourMs;
    const nextRunAt = new Date(lastMs + hourMs);
    const schedule = (key: string, madeAt: Date): StoredSchedule => {
      return { jobName: "b", rule: { key, everyMs: hourMs, timeZone: "UTC" }, madeAt, nextRunAt };
    };
    const old = schedule("y", new Date(lastMs - 1));
    const made = schedule("x", new Date());
    const other = {
      ...old,
      jobName: "a",
      rule: { cron: "0 * * * *", timeZone: "UTC", startAtMs: 5, endAtMs: lastMs },
    };
    backend.schedules = async () => [old, made, other];
    const listed = await engineOn(backend).schedules();
    expect(listed.map(({ jobName, key }) => [jobName, key])).toEqual([
      ["a", undefined],
      ["b", "x"],
      ["b", "y"],
    ]);
    expect(listed.map(({ lastScheduledAt }) => lastScheduledAt?.getTime())).toEqual([
      lastMs,
      undefined,
      lastMs,
    ]);
    expect(listed[0]).toMatchObject({
      cron: "0 * * * *",
      startAt: new Date(5),
      endAt: new Date(lastMs),
      nextRunAt,
    });
    expect(listed[2]).toMatchObject({ everyMs: hourMs, cron: undefined, timeZone: "UTC" });
  });

  it("tells observers of its schedules, if it has any", async () => {
    const opened: OpenedEngineContext[] = [];
    const runner = new ObservedJobRunner({ onEngineOpened: (context) => void opened.push(context) });
    const backend = scheduling();
    backend.schedules = async () => [];
    const engine = engineOn(backend, { runner });
    engineOn(new ScriptedBackend(), { runner });
    expect(await opened[0]?.schedules?.()).toEqual([]);
    expect(opened[1]?.schedules).toBeUndefined();
    await engine.close();
    expect(await opened[0]?.schedules?.()).toBeUndefined();
  });

  it("refuses intervals if the engine has none", async () => {
    const backend = scheduling();
    backend.capabilities = { ...backend.capabilities, intervals: false };
    const error = await errorOf(engineOn(backend).schedule(sendMail, { everyMs: 1 }, 1));
    expect(UnsupportedError.isInstance(error)).toBe(true);
  });

  it.each(["5", "*", "0 3 * *", "@daily", "* * * * * * *"])(
    'refuses the cron "%s" before the engine sees it',
    async (cron) => {
      const backend = scheduling();
      const error = await errorOf(engineOn(backend).schedule(sendMail, cron, 1));
      expect(error.message).toBe(
        `expected \`cron\` to be a cron expression of five or six fields, got "${cron}"`,
      );
      expect(backend.schedule).not.toHaveBeenCalled();
    },
  );

  it.each(["0 3 * * *", "  0\t3 * * MON-FRI ", "*/5 * * * * *"])('takes the cron "%s"', async (cron) => {
    const backend = scheduling();
    await engineOn(backend).schedule(sendMail, cron, 1);
    expect(backend.schedule).toHaveBeenCalledOnce();
  });
});
