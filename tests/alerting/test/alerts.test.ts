import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { asyncJob } from "@nidus/jobs-core";
import {
  answersOn,
  hasProgram,
  type PrometheusServer,
  prometheusProgram,
  type RedisServer,
  startPrometheus,
  startRedis,
} from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MailServer } from "./support/mail-server.ts";
import { writeQuickRules } from "./support/quick-rules.ts";
import { type Service, startService } from "./support/service.ts";
import { createRepository, type Repository, UsersApi } from "./support/users-api.ts";

const canRun =
  hasProgram(prometheusProgram, "no alert is seen firing") &&
  hasProgram("redis-server", "no engine is stopped");
/** The query by which KEDA scales workers, in the guide. */
const [, kedaQuery = ""] =
  /query: (.*)/.exec(
    readFileSync(new URL("../../../apps/docs/prometheus-and-alerting.md", import.meta.url), "utf8"),
  ) ?? [];
const everyThreeSeconds = ["--refresh", "*/3 * * * * *"];
let folder: string;
let prometheus: PrometheusServer;
/** Calls that stop something after the tests, the latest first. */
const opened: (() => unknown)[] = [];

/** The example whose mail server is away, in the end. */
let mailing: UsersApi;
let brokenMail: MailServer;
/** The example whose only slot is taken by a message that no mail server answers. */
let hanging: UsersApi;
let silentMail: MailServer;
let hangingRedis: RedisServer;
/** The example whose repository cannot be read. */
let lost: UsersApi;
let lostRepository: Repository;
/** The example that is killed while it sends a message, and whose worker may not fetch later. */
let killed: UsersApi;
let slowMail: MailServer;
let killedRedis: RedisServer;
/** A service of the test, for what the example has no way to do. */
let other: Service;

beforeAll(async () => {
  if (!canRun) return;
  folder = await mkdtemp(join(tmpdir(), "nidus-alerting-"));
  opened.push(() => rm(folder, { recursive: true }));
  const stopped = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    opened.push(() => started.stop());
    return started;
  };
  [brokenMail, silentMail, slowMail, hangingRedis, killedRedis, other] = await Promise.all([
    stopped(MailServer.start()),
    stopped(MailServer.start()),
    stopped(MailServer.start()),
    stopped(startRedis()),
    stopped(startRedis()),
    startService(),
  ]);
  opened.push(() => other.close());
  const days = (count: number, author = "ada") =>
    Array.from({ length: count }, (_, day) => ({ author, day }));
  const one = await createRepository(folder, [{ author: "ada", day: 0 }]);
  const busy = Array.from({ length: 20 }, () => ({ author: "ada", day: 0 }));
  lostRepository = await createRepository(folder, [{ author: "ada", day: 0 }]);
  await lostRepository.lose();
  silentMail.takesMs = Number.POSITIVE_INFINITY;
  slowMail.takesMs = Number.POSITIVE_INFINITY;

  const start = async (options: Parameters<typeof UsersApi.start>[1]): Promise<UsersApi> => {
    const service = await UsersApi.start(folder, options);
    opened.push(() => service.kill());
    return service;
  };
  [mailing, hanging, lost, killed] = await Promise.all([
    start({
      repository: await createRepository(folder, [...days(24), { author: "gone", day: 1 }]),
      args: ["--engine", "memory"],
      smtpUrl: brokenMail.url,
    }),
    start({
      repository: await createRepository(folder, busy),
      args: ["--redis-url", hangingRedis.url, "--concurrency", "1", ...everyThreeSeconds],
      smtpUrl: silentMail.url,
    }),
    start({ repository: lostRepository, args: ["--engine", "memory", ...everyThreeSeconds] }),
    start({ repository: one, args: ["--redis-url", killedRedis.url], smtpUrl: slowMail.url }),
  ]);
  prometheus = await startPrometheus({
    targets: {
      mailing: mailing.port,
      hanging: hanging.port,
      lost: lost.port,
      killed: killed.port,
      other: other.port,
    },
    ruleFiles: await writeQuickRules(folder),
  });
  opened.push(() => prometheus.stop());
});

afterAll(async () => {
  for (const stop of opened.reverse()) await stop();
});

/** Waits for a condition. The limit says nothing about speed: the machine may be busy. */
async function until(what: string, isMet: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 300_000;
  while (!(await isMet())) {
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`);
    await pause(500);
  }
}

/** Waits for an answer of Prometheus. */
const answered = (expression: string): Promise<void> =>
  until(expression, async () => (await prometheus.query(expression)).length > 0);

const firing = (alert: string, selector: string): string =>
  `ALERTS{alertname="${alert}",alertstate="firing",${selector}}`;

/** Waits until each alert has fired. An alert may fire for some seconds alone. */
async function expectFired(selector: string, alerts: readonly string[]): Promise<void> {
  await Promise.all(alerts.map((alert) => answered(`count_over_time(${firing(alert, selector)}[1h])`)));
}

async function expectResolved(selector: string, alerts: readonly string[]): Promise<void> {
  await Promise.all(alerts.map((alert) => answered(`absent(${firing(alert, selector)})`)));
}

/** Repeats a call until the returned function is awaited. */
function repeat(call: () => Promise<unknown>, everyMs: number): () => Promise<void> {
  const stopping = new AbortController();
  const repeating = (async () => {
    while (!stopping.signal.aborted) {
      await call();
      await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return () => {
    stopping.abort();
    return repeating;
  };
}

describe.skipIf(!canRun).concurrent("in a Prometheus that scrapes users-api, alerts fire and resolve", () => {
  it("while its mail server fails, knows an address no longer, and is slow", async () => {
    const digests = 'job="mailing",job_name="send_digest"';
    const failing = ["JobFailing", "JobOnlyFailing", "ErrorBudgetBurn"];
    await answered(`nidus_jobs_started_total{${digests}} == 0`);

    brokenMail.answerTo = (address) =>
      address.startsWith("gone@") ? "550 no such mailbox" : "451 try again later";
    // A run is stored again as soon as its last job has ended.
    const stopEnqueuing = repeat(() => mailing.enqueue(), 1_000);
    await expectFired(digests, [...failing, "JobsDeadLettered"]);

    // All messages wait for longer than the objective allows, and arrive.
    brokenMail.takesMs = 6_000;
    brokenMail.answerTo = (address) => (address.startsWith("gone@") ? "550 no such mailbox" : "250 OK");
    await expectFired(digests, ["JobSlow", "DeadLettersOld"]);

    brokenMail.answerTo = () => "250 OK";
    brokenMail.answerAll();
    await stopEnqueuing();
    await mailing.redriveAll("memory");
    await expectResolved(digests, [...failing, "JobsDeadLettered", "DeadLettersOld", "JobSlow"]);
  });

  it("while a run hangs in its only slot, and then its store is away", async () => {
    const of = (name: string): string => `job="hanging",job_name="${name}"`;
    await answered(`nidus_job_last_success_timestamp_seconds{${of("refresh_users")}}`);
    await hanging.enqueue();
    await until("a message", async () => silentMail.waiting === 1);
    await expectFired(of("send_digest"), ["JobStuck"]);
    await expectFired(of("index_commit"), ["BacklogOld", "NoWorkers"]);
    await answered(`(${kedaQuery.replace("users-api", "hanging")}) > 10`);
    // The schedule falls silent: no slot is free for it.
    await expectFired(of("refresh_users"), ["JobNotSucceeding"]);

    await hangingRedis.kill();
    await expectFired('job="hanging"', ["EngineDown"]);
    await answered(`absent(nidus_jobs_waiting{${of("index_commit")}})`);
    await answered(firing("BacklogOld", of("index_commit")));
    await hangingRedis.start();
    await expectResolved('job="hanging"', ["EngineDown"]);

    silentMail.answerAll();
    await expectResolved(of("send_digest"), ["JobStuck"]);
    await expectResolved(of("index_commit"), ["BacklogOld", "NoWorkers"]);
    await expectResolved(of("refresh_users"), ["JobNotSucceeding"]);
  });

  it("while its schedule only fails, since its repository cannot be read", async () => {
    const refresh = 'job="lost",job_name="refresh_users"';
    await expectFired(refresh, ["JobNeverSucceeded"]);
    await lostRepository.restore();
    await expectResolved(refresh, ["JobNeverSucceeded"]);
  });

  it("after its process was killed, and while its worker may not fetch", async () => {
    const digests = 'job="killed",job_name="send_digest"';
    await killed.enqueue();
    await until("a message", async () => slowMail.waiting === 1);
    await killed.kill();
    slowMail.answerAll();
    await killed.start();
    await expectFired(digests, ["JobsStalling"]);

    // An operator changes the rights in Redis: it answers, and runs no script of the worker.
    const allow = (rights: string) => answersOn(killedRedis.port, `ACL SETUSER default ${rights}\r\n`, "OK");
    expect(await allow("-eval -evalsha")).toBe(true);
    await expectFired('job="killed"', ["WorkerStuck"]);
    expect(await allow("+eval +evalsha")).toBe(true);
    await expectResolved('job="killed"', ["WorkerStuck"]);
    await expectResolved(digests, ["JobsStalling"]);
  });

  it("in another service: for names without end, and for jobs that promise a success", async () => {
    // The example has four job names, and none of its jobs promises when it starts or succeeds: no fault from outside can show these.
    const { runner } = other;
    const objectives = { succeedEveryMs: 5_000, startWithinMs: 60_000 };
    const run = (name: string) => runner.runAsync(asyncJob(name, async () => {}));
    runner.declare({ name: "report", objectives }, { name: "new_report", objectives });
    await run("report");
    let names = 0;
    const stopNaming = repeat(() => run(`report_${names++}`), 500);
    await expectFired('job="other",job_name="report"', ["JobNotSucceeding"]);
    await expectFired('job="other",job_name="new_report"', ["JobNeverSucceeded"]);
    await expectFired('job="other",job_name="<overflow>"', ["JobNamesOverflow"]);
    await stopNaming();
    const stopReporting = repeat(() => Promise.all([run("report"), run("new_report")]), 500);
    await expectResolved('job="other",job_name="report"', ["JobNotSucceeding"]);
    await expectResolved('job="other",job_name="new_report"', ["JobNeverSucceeded"]);
    await stopReporting();
    await expectResolved('job="other",job_name="<overflow>"', ["JobNamesOverflow"]);
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
    for (const expr of queries) await answered(withValues(expr));
  });
});
