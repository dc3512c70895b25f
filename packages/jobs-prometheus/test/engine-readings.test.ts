import {
  type JobObjectives,
  ObservedJobRunner,
  type OpenedEngineContext,
  type WorkerHealth,
} from "@nidus/jobs-observe";
import { afterEach, describe, expect, it, vi } from "vitest";
import { prometheusJobObserver } from "../src/index.ts";
import { type Line, parse, sampleOf } from "./support/exposition.ts";
import { hasTool, promtoolCheck } from "./support/tool.ts";

afterEach(() => void vi.useRealTimers());

const fetched: WorkerHealth = { state: "idle", lastFetchAt: new Date(50_000), concurrency: 1, running: 0 };

function engine(more: Partial<OpenedEngineContext> = {}): OpenedEngineContext {
  const name = more.engine ?? "orders";
  return {
    engine: name,
    backlog: async () => [{ jobName: "mail", waiting: 3, oldestWaitingAt: new Date(10_000) }],
    deadLetters: async () => [
      { jobName: "mail", count: 2, oldestAt: new Date(20_000) },
      { jobName: "digest", count: 0, oldestAt: undefined },
    ],
    schedules: async () => [
      { jobName: "digest", lastScheduledAt: new Date(30_000), nextRunAt: undefined },
      { jobName: "digest", lastScheduledAt: new Date(40_000), nextRunAt: undefined },
      { jobName: "later", lastScheduledAt: undefined, nextRunAt: new Date(90_000) },
    ],
    health: async () => ({ engine: name, isReachable: true, latencyMs: 1, workers: [fetched] }),
    observeBookkeeping() {},
    ...more,
  };
}

function observing(options: Parameters<typeof prometheusJobObserver>[0] = {}) {
  const observer = prometheusJobObserver(options);
  const runner = new ObservedJobRunner(observer);
  const scrape = async (): Promise<Line[]> => {
    const text = await observer.metrics();
    expect(text).toBe(await observer.registry.metrics());
    return parse(text);
  };
  return { observer, runner, scrape };
}

const readings = [
  "nidus_jobs_waiting",
  "nidus_job_oldest_waiting_timestamp_seconds",
  "nidus_dead_letters",
  "nidus_dead_letter_oldest_timestamp_seconds",
  "nidus_job_last_scheduled_timestamp_seconds",
  "nidus_worker_last_fetch_timestamp_seconds",
];

const named = (lines: readonly Line[], name: string) => lines.filter((line) => line.name === name);

describe("readings of engines", () => {
  it("are backlog, dead letters, schedules, and whether the engine answers", async () => {
    const { runner, scrape } = observing();
    runner.opened(engine());
    const lines = await scrape();
    const mail = { job_name: "mail" };
    const digest = { job_name: "digest" };
    expect(sampleOf(lines, "nidus_jobs_waiting", mail)).toBe(3);
    expect(named(lines, "nidus_dead_letters")).toEqual([
      { name: "nidus_dead_letters", labels: mail, value: 2 },
      { name: "nidus_dead_letters", labels: digest, value: 0 },
    ]);
    expect(named(lines, "nidus_dead_letter_oldest_timestamp_seconds")).toEqual([
      { name: "nidus_dead_letter_oldest_timestamp_seconds", labels: mail, value: 20 },
    ]);
    expect(named(lines, "nidus_job_last_scheduled_timestamp_seconds")).toEqual([
      { name: "nidus_job_last_scheduled_timestamp_seconds", labels: digest, value: 40 },
    ]);
    expect(named(lines, "nidus_engine_up")).toEqual([
      { name: "nidus_engine_up", labels: { engine: "orders" }, value: 1 },
    ]);
    expect(named(lines, "nidus_worker_last_fetch_timestamp_seconds")).toEqual([
      { name: "nidus_worker_last_fetch_timestamp_seconds", labels: { engine: "orders" }, value: 50 },
    ]);
  });

  it.runIf(hasTool("promtool"))("pass promtool without a word", async () => {
    const { runner, observer } = observing();
    runner.opened(engine({ engine: 'or"ders' }));
    const objectives = { succeedEveryMs: 60_000, startWithinMs: 500, finishWithinMs: 1 };
    runner.declare({ name: "digest", objectives });
    expect(promtoolCheck(await observer.metrics())).toBe("");
  });

  it.each<[string, Partial<OpenedEngineContext>]>([
    [
      "cannot be reached",
      {
        health: async () => ({
          engine: "orders",
          isReachable: false,
          latencyMs: undefined,
          workers: [fetched],
        }),
      },
    ],
    ["rejects", { health: () => Promise.reject(new Error("away")) }],
    ["has no sign of life, and no backlog", { health: undefined as never }],
  ])("are absent, and the engine is down, if it %s", async (_what, more) => {
    const { runner, scrape } = observing();
    const away = () => Promise.reject(new Error("away"));
    runner.opened(engine({ backlog: away, deadLetters: away, schedules: away, ...more }));
    const lines = await scrape();
    for (const name of readings) expect(named(lines, name)).toEqual([]);
    expect(sampleOf(lines, "nidus_engine_up", { engine: "orders" })).toBe(0);
  });

  it("are absent, and the engine is down, if it is silent: a scrape waits for two seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { runner, observer } = observing();
    const silent = () => new Promise<never>(() => {});
    runner.opened(engine({ backlog: silent, deadLetters: silent, schedules: silent, health: silent }));
    const scraping = observer.registry.metrics();
    await vi.advanceTimersByTimeAsync(2_000);
    const lines = parse(await scraping);
    for (const name of readings) expect(named(lines, name)).toEqual([]);
    expect(sampleOf(lines, "nidus_engine_up")).toBe(0);
  });

  it("vanish once the engine is silent, and come back with it", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { runner, scrape } = observing();
    let isAway = false;
    const orAway =
      <T>(answer: () => Promise<T>) =>
      () =>
        isAway ? Promise.reject(new Error("away")) : answer();
    const { backlog, deadLetters, schedules, health } = engine() as Required<OpenedEngineContext>;
    runner.opened(
      engine({
        backlog: orAway(backlog),
        deadLetters: orAway(deadLetters),
        schedules: orAway(schedules),
        health: orAway(health),
      }),
    );
    for (const away of [false, true, false]) {
      isAway = away;
      vi.advanceTimersByTime(10_000);
      const lines = await scrape();
      for (const name of readings) expect(named(lines, name).length > 0).toBe(!away);
      expect(sampleOf(lines, "nidus_engine_up")).toBe(away ? 0 : 1);
    }
  });

  it("keep what an engine answers if it is silent about the rest", async () => {
    const { runner, scrape } = observing();
    runner.opened(engine({ deadLetters: () => Promise.reject(new Error("slow")) }));
    const lines = await scrape();
    expect(sampleOf(lines, "nidus_jobs_waiting", { job_name: "mail" })).toBe(3);
    expect(named(lines, "nidus_dead_letters")).toEqual([]);
    expect(sampleOf(lines, "nidus_engine_up")).toBe(1);
  });

  it("tell two engines of one kind apart by their names, and are gone once an engine is closed", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { runner, scrape } = observing();
    let isClosed = false;
    runner.opened(engine({ engine: "mails" }));
    runner.opened(
      engine({
        engine: "orders",
        backlog: async () => (isClosed ? undefined : []),
        health: async () => ({ engine: "orders", isReachable: false, latencyMs: undefined, workers: [] }),
      }),
    );
    const before = await scrape();
    expect(sampleOf(before, "nidus_engine_up", { engine: "mails" })).toBe(1);
    expect(sampleOf(before, "nidus_engine_up", { engine: "orders" })).toBe(0);
    isClosed = true;
    vi.advanceTimersByTime(10_000);
    expect(named(await scrape(), "nidus_engine_up").map(({ labels }) => labels.engine)).toEqual(["mails"]);
  });

  it("are the worst of the engines of one name: the sums, the oldest, and down if one is down", async () => {
    const { runner, scrape } = observing();
    const older = { ...fetched, lastFetchAt: new Date(45_000) };
    runner.opened(engine());
    runner.opened(
      engine({
        health: async () => ({ engine: "orders", isReachable: true, latencyMs: 1, workers: [older] }),
      }),
    );
    const lines = await scrape();
    expect(sampleOf(lines, "nidus_dead_letters", { job_name: "mail" })).toBe(4);
    expect(sampleOf(lines, "nidus_worker_last_fetch_timestamp_seconds")).toBe(45);
  });

  it("stay within maxSeries", async () => {
    const { runner, scrape } = observing({ maxSeries: 3 });
    const rows = Array.from({ length: 20 }, (_, index) => ({
      jobName: `job ${index}`,
      count: 1,
      oldestAt: undefined,
    }));
    for (let i = 0; i < 10; i++)
      runner.opened(engine({ engine: `engine ${i}`, deadLetters: async () => rows }));
    const lines = await scrape();
    for (const name of [...readings, "nidus_engine_up"])
      expect(named(lines, name).length).toBeLessThanOrEqual(4);
    expect(sampleOf(lines, "nidus_engine_up", { engine: "<overflow>" })).toBe(1);
  });

  it("leave out what no engine may say", async () => {
    const { runner, scrape } = observing();
    const future = new Date(Date.now() + 3_600_000);
    const wrong = [
      null,
      7,
      { jobName: 7, count: 1, lastScheduledAt: new Date(1) },
      { jobName: "mail", count: -1, oldestAt: "1970", lastScheduledAt: future },
      { jobName: "mail", count: Number.NaN, lastScheduledAt: new Date(Number.NaN) },
    ];
    runner.opened(
      engine({
        backlog: async () => wrong as never,
        deadLetters: async () => wrong as never,
        schedules: async () => wrong as never,
        health: async () => ({ isReachable: "yes", workers: [null, { lastFetchAt: "now" }] }) as never,
      }),
    );
    const lines = await scrape();
    for (const name of readings) expect(named(lines, name)).toEqual([]);
    expect(sampleOf(lines, "nidus_engine_up")).toBe(0);
  });

  it("are asked once for scrapes of five seconds", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { runner, scrape } = observing();
    const health = vi.fn(engine().health);
    runner.opened(engine({ health: health as never }));
    for (let i = 0; i < 4; i++) {
      vi.advanceTimersByTime(1_000);
      await scrape();
    }
    expect(health).toHaveBeenCalledTimes(1);
  });
});

describe("objectives", () => {
  const gauges = {
    succeedEveryMs: "nidus_job_objective_success_interval_seconds",
    startWithinMs: "nidus_job_objective_wait_seconds",
    finishWithinMs: "nidus_job_objective_duration_seconds",
  };

  it("are gauges in seconds, of the jobs that have them", async () => {
    const { runner, scrape } = observing();
    runner.declare({ name: "plain" });
    expect((await scrape()).filter(({ name }) => name.includes("objective"))).toEqual([]);
    runner.declare(
      {
        name: "digest",
        objectives: { succeedEveryMs: 3_600_000, startWithinMs: 500, finishWithinMs: 60_000 },
      },
      { name: "mail", objectives: { finishWithinMs: 1 } },
    );
    const lines = await scrape();
    const values = (objective: keyof JobObjectives) =>
      named(lines, gauges[objective]).map(({ labels, value }) => [labels.job_name, value]);
    expect(values("succeedEveryMs")).toEqual([["digest", 3_600]]);
    expect(values("startWithinMs")).toEqual([["digest", 0.5]]);
    expect(values("finishWithinMs")).toEqual([
      ["digest", 60],
      ["mail", 0.001],
    ]);
  });

  it("stay if the job is declared again without, and give way to others", async () => {
    const { runner, scrape } = observing();
    runner.declare({ name: "digest", objectives: { succeedEveryMs: 1_000 } });
    runner.declare({ name: "digest", engine: "memory", queue: "q" });
    expect(sampleOf(await scrape(), gauges.succeedEveryMs)).toBe(1);
    runner.declare({ name: "digest", objectives: { finishWithinMs: 2_000 } });
    const lines = await scrape();
    expect(sampleOf(lines, gauges.succeedEveryMs)).toBeUndefined();
    expect(sampleOf(lines, gauges.finishWithinMs)).toBe(2);
  });

  it("are not those of the jobs beyond maxSeries", async () => {
    const { runner, scrape } = observing({ maxSeries: 1 });
    for (const name of ["a", "b"]) runner.declare({ name, objectives: { succeedEveryMs: 1_000 } });
    expect(named(await scrape(), gauges.succeedEveryMs).map(({ labels }) => labels.job_name)).toEqual(["a"]);
  });
});
