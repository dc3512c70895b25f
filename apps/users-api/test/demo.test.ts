import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { simpleParser } from "mailparser";
import { freePort } from "test-servers";
import { expect, test } from "vitest";
import { startCollector } from "./support/collector.ts";
import { parseDemoOutput } from "./support/demo-output.ts";
import { createRepository, git, weeklyCommits } from "./support/git-repository.ts";
import { startMailServer } from "./support/mail-server.ts";
import { samplesOf } from "./support/metrics-text.ts";
import { Program, runProgram } from "./support/program.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

async function demo(repository: string, env: NodeJS.ProcessEnv = {}) {
  const folder = await temporaryFolder();
  const result = await runProgram(
    ["demo", repository, "--out", folder, "--engine", "memory", "--metrics"],
    env,
  );
  return { ...result, folder };
}

const messagesIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith(".eml"));

test("every job of a history runs, and is reported", async () => {
  const repository = await createRepository([
    ...weeklyCommits(8),
    ...weeklyCommits(4, { name: "Grace Hopper", email: "grace@example.com" }),
  ]);
  const { status, stdout, stderr, folder } = await demo(repository);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { summary, failures, trace, metrics, lastLine } = parseDemoOutput(stdout);

  expect(summary.job).toEqual(["runs", "failures", "p50 ms", "p95 ms", "max ms"]);
  expect(summary.reindex_users?.slice(0, 2)).toEqual(["1", "0"]);
  expect(summary.send_digest?.slice(0, 2)).toEqual(["12", "0"]);
  expect(summary.index_commit?.slice(0, 2)).toEqual(["12", "0"]);
  const [p50 = 0, p95 = 0, max = 0] = summary.send_digest?.slice(2).map(Number) ?? [];
  expect(p50).toBeGreaterThan(0);
  expect(p95).toBeGreaterThanOrEqual(p50);
  expect(max).toBeGreaterThanOrEqual(p95);

  expect(failures).toEqual(["none"]);
  expect(trace[0]).toMatch(/^trace [0-9a-f]{32} of send_digest: /);
  expect(trace[1]).toMatch(/^└─ job\.run \(\d+\.\d ms, \+0\.0 ms\)$/);

  const samples = samplesOf(metrics);
  expect(samples.get('nidus_jobs_started_total{job_name="send_digest"}')).toBe(12);
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="success"}')).toBe(12);
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="failure"}')).toBe(0);
  expect(samples.get('nidus_job_duration_seconds_count{job_name="send_digest",status="success"}')).toBe(12);
  expect(samples.get('nidus_jobs_finished_total{job_name="reindex_users",status="success"}')).toBe(1);
  expect(lastLine).toBe(`Done: 24 of 24 jobs have ended; their files are in ${folder}`);
  expect(await readdir(join(folder, "commits"), { recursive: true })).toEqual(
    expect.arrayContaining([expect.stringMatching(/^[0-9a-f]{2}\/[0-9a-f]{40}\.json$/)]),
  );
  expect(await messagesIn(folder)).toHaveLength(12);
  expect(JSON.parse(await readFile(join(folder, "users.json"), "utf8"))).toMatchObject([
    { email: "ada@example.com", commits: 8 },
    { email: "grace@example.com", commits: 4 },
  ]);
});

test("if mail is slow, the slowest run is a digest, with its steps below it", async () => {
  const server = await startMailServer();
  const { stdout } = await demo(await createRepository(weeklyCommits(3)), { SMTP_URL: server.url });
  const { trace } = parseDemoOutput(stdout);
  expect(trace).toEqual([
    expect.stringContaining(" of send_digest: "),
    expect.stringMatching(/^└─ job\.run /),
    expect.stringMatching(/^ {3}├─ compose \(\d+\.\d ms, \+\d+\.\d ms\)$/),
    expect.stringMatching(/^ {3}└─ deliver \(\d+\.\d ms, \+\d+\.\d ms\)$/),
  ]);
});

test("piped output has no colours and no bar, even if colours are requested", async () => {
  const repository = await createRepository(weeklyCommits(3));
  const { stdout, stderr } = await demo(repository, { TERM: "xterm-256color", FORCE_COLOR: "1" });
  expect(stdout).not.toContain("\u001b");
  expect(stdout).not.toContain("\r");
  expect(stderr).toBe("");
});

test("an author without a usable address is a failure with its reason, and the exit status is 0", async () => {
  const repository = await createRepository([
    { name: "Root", email: "root@localhost" },
    { name: "Ada", email: "ada@example.com" },
  ]);
  const { status, stdout, stderr, folder } = await demo(repository);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { summary, failures, metrics, lastLine } = parseDemoOutput(stdout);
  expect(summary.send_digest?.slice(0, 2)).toEqual(["2", "1"]);
  expect(failures).toEqual(['1 × send_digest: no usable address: "Root <root@localhost>"']);
  expect(samplesOf(metrics).get('nidus_jobs_finished_total{job_name="send_digest",status="failure"}')).toBe(
    1,
  );
  expect(lastLine).toBe(`Done: 4 of 4 jobs have ended; their files are in ${folder}`);
  expect(await messagesIn(folder)).toHaveLength(1);
});

test("failures of one kind are one line with their number", async () => {
  const { status, stdout } = await demo(
    await createRepository(weeklyCommits(25, { name: "Root", email: "root@localhost" })),
  );
  expect(status).toBe(0);
  const { failures } = parseDemoOutput(stdout);
  expect(failures).toEqual(['25 × send_digest: no usable address: "Root <root@localhost>"']);
});

test("metrics are printed if asked for, and the page and the metrics can be kept up", async () => {
  const repository = await createRepository(weeklyCommits(2));
  const args = ["demo", repository, "--out", await temporaryFolder(), "--engine", "memory"];
  expect((await runProgram(args)).stdout).not.toContain("# TYPE");
  const program = new Program([...args, "--serve"]);
  await expect.poll(() => program.stdout).toContain("until you press Ctrl-C");
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(program.stdout)?.[0];
  expect(
    samplesOf(await (await fetch(`${url}/metrics`)).text()).get(
      'nidus_jobs_started_total{job_name="send_digest"}',
    ),
  ).toBe(2);
  expect(await (await fetch(`${url}/jobs/`)).text()).toContain("<!doctype html>");
  program.process.kill("SIGINT");
  expect(await program.ended).toMatchObject({ status: 0, stderr: "" });
});

test("a shallow clone, and a repository without commits, are histories too", async () => {
  const origin = await createRepository(weeklyCommits(3));
  const parent = await temporaryFolder();
  await git(parent, ["clone", "--quiet", "--depth", "1", pathToFileURL(origin).href, "clone"]);
  const shallow = await demo(join(parent, "clone"));
  expect(shallow.status).toBe(0);
  expect(parseDemoOutput(shallow.stdout).lastLine).toMatch(/^Done: 2 of 2 jobs/);
  const empty = await demo(await createRepository([]));
  expect(empty.status).toBe(0);
  expect(parseDemoOutput(empty.stdout)).toMatchObject({
    failures: ["none"],
    summary: { reindex_users: expect.any(Array) },
  });
  expect(parseDemoOutput(empty.stdout).lastLine).toMatch(/^Done: 0 of 0 jobs/);
});

test("if SMTP_URL is set, messages are sent too", async () => {
  const server = await startMailServer();
  const { status, folder } = await demo(await createRepository(weeklyCommits(6)), { SMTP_URL: server.url });
  expect(status).toBe(0);
  const written = await Promise.all(
    (await messagesIn(folder)).map((name) => readFile(join(folder, name), "latin1")),
  );
  const sent = server.accepted.map(({ content }) => content.toString("latin1"));
  expect(sent.map((text) => text.trimEnd()).sort()).toEqual(written.map((text) => text.trimEnd()).sort());
  const subjects = await Promise.all(
    server.accepted.map(async ({ content }) => (await simpleParser(content)).subject),
  );
  expect(subjects.sort()).toEqual(
    Array.from(
      { length: 6 },
      (_, index) =>
        `Your day ${new Date(Date.UTC(2024, 0, 1 + 7 * index)).toISOString().slice(0, 10)}: 1 commit`,
    ),
  );
});

test("if OTEL_EXPORTER_OTLP_ENDPOINT is set, every span has been exported at the end", async () => {
  const collector = await startCollector();
  const repository = await createRepository(weeklyCommits(2));
  const { status } = await demo(repository, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  expect(status).toBe(0);
  for (const text of [
    "users-api",
    "job.run",
    "send_digest",
    "index_commit",
    "reindex_users",
    "compose",
    "deliver",
  ]) {
    expect(collector.hasReceived(text)).toBe(true);
  }
});

test.each(["dead", "hanging"])("a %s collector costs no digest, and ends in bounded time", async (state) => {
  const url =
    state === "dead" ? `http://127.0.0.1:${await freePort()}` : (await startCollector({ hangs: true })).url;
  const startedAt = performance.now();
  const { status, stdout } = await demo(await createRepository(weeklyCommits(2)), {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
  });
  expect(status).toBe(0);
  expect(parseDemoOutput(stdout).lastLine).toMatch(/^Done: 4 of 4 jobs/);
  expect(performance.now() - startedAt).toBeLessThan(60_000);
});
