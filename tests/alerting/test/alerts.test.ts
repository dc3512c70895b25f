import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { asyncJob } from "@nidus/jobs-core";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { createEngine } from "@nidus/jobs-durable/backend";
import {
  hasProgram,
  type PrometheusServer,
  prometheusProgram,
  type RedisServer,
  startPrometheus,
  startRedis,
} from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeQuickRules } from "./support/quick-rules.ts";
import { type Service, startService } from "./support/service.ts";
import { silentBackend } from "./support/silent-backend.ts";

const canRun =
  hasProgram(prometheusProgram, "no alert is seen firing") &&
  hasProgram("redis-server", "no engine is stopped");
const ignore = (): void => {};
let folder: string;
let service: Service;
let prometheus: PrometheusServer;
let redis: RedisServer;
let otherRedis: RedisServer;
let engine: JobEngine;

beforeAll(async () => {
  if (!canRun) return;
  folder = await mkdtemp(join(tmpdir(), "nidus-alerting-"));
  [service, redis, otherRedis] = await Promise.all([startService(), startRedis(), startRedis()]);
  prometheus = await startPrometheus({
    targets: { service: service.port },
    ruleFiles: await writeQuickRules(folder),
  });
  engine = await bullmqEngine({
    runner: service.runner,
    connection: { url: redis.url },
    leaseMs: 1_000,
    onError: ignore,
  });
});

afterAll(async () => {
  if (!canRun) return;
  await engine.close();
  await prometheus.stop();
  service.close();
  await Promise.all([redis.stop(), otherRedis.stop(), rm(folder, { recursive: true })]);
});

/** Waits for a condition. The limit says nothing about speed: the machine may be busy. */
async function until(what: string, isMet: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 300_000;
  while (!(await isMet())) {
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`);
    await pause(500);
  }
}

/** Waits until an alert fires, or until it has resolved. */
async function expectAlert(alert: string, selector: string, isFiring = true): Promise<void> {
  const series = `ALERTS{alertname="${alert}",alertstate="firing",${selector}}`;
  // An alert may fire for some seconds alone.
  const expression = isFiring ? `count_over_time(${series}[1h])` : series;
  await until(alert, async () => (await prometheus.query(expression)).length === (isFiring ? 1 : 0));
}

describe
  .skipIf(!canRun)
  .concurrent("in a Prometheus that scrapes a service, an alert fires and resolves", () => {
    it("for runs that fail", async () => {
      const { runner } = service;
      let isBroken = true;
      const flaky = asyncJob("flaky", async () => {
        if (isBroken) throw new Error("no route to the mail server");
      });
      const runs = setInterval(() => void runner.runAsync(flaky).catch(ignore), 500);
      await Promise.all(
        ["JobFailing", "JobOnlyFailing"].map((alert) => expectAlert(alert, 'job_name="flaky"')),
      );
      isBroken = false;
      await Promise.all(
        ["JobFailing", "JobOnlyFailing"].map((alert) => expectAlert(alert, 'job_name="flaky"', false)),
      );
      clearInterval(runs);
    });

    it("for a run that hangs", async () => {
      const { runner } = service;
      const hung = deferred();
      runner.declare({ name: "hanging", objectives: { finishWithinMs: 5_000, startWithinMs: 60_000 } });
      const running = runner.runAsync(asyncJob("hanging", () => hung.promise));
      await expectAlert("JobStuck", 'job_name="hanging"');
      hung.resolve();
      await running;
      await expectAlert("JobStuck", 'job_name="hanging"', false);
    });

    it("for slow runs", async () => {
      const { runner } = service;
      runner.declare({ name: "slow", objectives: { finishWithinMs: 5_000 } });
      const running = new Set<Promise<unknown>>();
      const runs = setInterval(
        () => running.add(runner.runAsync(asyncJob("slow", () => pause(5_500)))),
        1_000,
      );
      await expectAlert("JobSlow", 'job_name="slow"');
      clearInterval(runs);
      await Promise.all(running);
      await expectAlert("JobSlow", 'job_name="slow"', false);
    });

    it("for a job that stops succeeding, and for one that never succeeds", async () => {
      const { runner } = service;
      const objectives = { succeedEveryMs: 5_000 };
      runner.declare({ name: "report", objectives }, { name: "new_report", objectives });
      await runner.runAsync(asyncJob("report", async () => {}));
      await expectAlert("JobNotSucceeding", 'job_name="report"');
      await expectAlert("JobNeverSucceeded", 'job_name="new_report"');
      const runs = setInterval(() => {
        for (const name of ["report", "new_report"]) void runner.runAsync(asyncJob(name, async () => {}));
      }, 500);
      await expectAlert("JobNotSucceeding", 'job_name="report"', false);
      await expectAlert("JobNeverSucceeded", 'job_name="new_report"', false);
      clearInterval(runs);
    });

    it("for jobs that no worker takes", async () => {
      const mail = defineJob({ name: "mail", run: async () => {} });
      await engine.enqueue(mail);
      await expectAlert("BacklogOld", 'job_name="mail"');
      await expectAlert("NoWorkers", 'job_name="mail"');
      await engine.work({ jobs: [mail] });
      await expectAlert("BacklogOld", 'job_name="mail"', false);
      await expectAlert("NoWorkers", 'job_name="mail"', false);
    });

    it("for dead letters", async () => {
      const broken = defineJob({
        name: "broken",
        maxAttempts: 1,
        run: () => Promise.reject(new Error("no such user")),
      });
      await engine.work({ jobs: [broken] });
      const { id } = await engine.enqueue(broken);
      await expectAlert("JobsDeadLettered", 'job_name="broken"');
      await expectAlert("DeadLettersOld", 'job_name="broken"');
      await expectAlert("JobsDeadLettered", 'job_name="broken"', false);
      await engine.redrive(id);
      await expectAlert("DeadLettersOld", 'job_name="broken"', false);
    });

    it("for a worker that died", async () => {
      const doomed = defineJob({ name: "doomed", run: async () => {} });
      await engine.enqueue(doomed);
      const program = fileURLToPath(new URL("support/doomed-worker.mjs", import.meta.url));
      const child = spawn(process.execPath, [program, redis.url], { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "exit");
      await once(child.stdout, "data");
      child.kill("SIGKILL");
      await ended;
      await engine.work({ jobs: [doomed] });
      await expectAlert("JobsStalling", 'job_name="doomed"');
      await expectAlert("JobsStalling", 'job_name="doomed"', false);
    });

    it("for a schedule that falls silent", async () => {
      const tick = defineJob({ name: "tick", run: async () => {} });
      const worker = await engine.work({ jobs: [tick] });
      await engine.schedule(tick, { everyMs: 1_000 });
      const succeeded = 'nidus_job_last_success_timestamp_seconds{job_name="tick"}';
      await until(succeeded, async () => (await prometheus.query(succeeded)).length > 0);
      await worker.stop();
      await expectAlert("JobNotSucceeding", 'job_name="tick"');
      await engine.work({ jobs: [tick] });
      await expectAlert("JobNotSucceeding", 'job_name="tick"', false);
    });

    it("for an engine that is away, while the alert on its backlog stays", async () => {
      const parcel = defineJob({ name: "parcel", run: async () => {} });
      const stopped = await bullmqEngine({
        runner: service.runner,
        name: "stopped",
        connection: { url: otherRedis.url },
        onError: ignore,
      });
      await stopped.enqueue(parcel);
      await expectAlert("BacklogOld", 'job_name="parcel"');
      await otherRedis.kill();
      await expectAlert("EngineDown", 'engine="stopped"');
      await expectAlert("BacklogOld", 'job_name="parcel"');
      await otherRedis.start();
      await expectAlert("EngineDown", 'engine="stopped"', false);
      await stopped.work({ jobs: [parcel] });
      await expectAlert("BacklogOld", 'job_name="parcel"', false);
      await stopped.close();
    });

    it("for a worker that hangs", async () => {
      const backend = silentBackend();
      const hanging = createEngine(backend, { runner: service.runner, onError: ignore });
      await hanging.work({ jobs: [defineJob({ name: "silent", run: async () => {} })] });
      await expectAlert("WorkerStuck", 'engine="silent"');
      backend.release();
      await hanging.close();
      await expectAlert("WorkerStuck", 'engine="silent"', false);
    });

    it("and every query of the dashboard has an answer", async () => {
      const path = new URL("../../../packages/jobs-prometheus/grafana/nidus-jobs.json", import.meta.url);
      const { panels } = JSON.parse(await readFile(path, "utf8"));
      const queries = panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
        targets.map(({ expr }) => expr),
      );
      expect(queries.length).toBeGreaterThan(25);
      const withValues = (expr: string): string =>
        expr.replace(/\$(service|job_name|engine)/g, ".*").replaceAll("$__rate_interval", "1m");
      for (const expr of queries) {
        await until(expr, async () => (await prometheus.query(withValues(expr))).length > 0);
      }
    });
  });

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
