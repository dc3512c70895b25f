import { once } from "node:events";
import { readdir, readFile, rename } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { commitTo, createRepository, weeklyCommits } from "./support/git-repository.ts";
import { startMailServer } from "./support/mail-server.ts";
import { samplesOf } from "./support/metrics-text.ts";
import { runProgram } from "./support/program.ts";
import { startService } from "./support/service.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const post = (url: string) => fetch(`${url}/digests`, { method: "POST" });
const metricsOf = async (url: string) => samplesOf(await (await fetch(`${url}/metrics`)).text());

/** Waits until a service has run this many digests. */
async function untilSent(url: string, digests: number): Promise<void> {
  const finished = async (): Promise<number> => {
    const samples = await metricsOf(url);
    const of = (status: string): number =>
      samples.get(`nidus_jobs_finished_total{job_name="send_digest",status="${status}"}`) ?? 0;
    return of("success") + of("failure");
  };
  await expect.poll(finished).toBe(digests);
}

test("its first line says where it listens and where it writes, and the next ones what is there", async () => {
  const { program, url, folder } = await startService(await createRepository([]));
  await expect.poll(() => program.stdout).toContain("curl");
  const [first, ...others] = program.stdout.trimEnd().split("\n");
  expect(first).toBe(`users-api listens on ${url}, and writes to ${folder}`);
  expect(others).toEqual([
    expect.stringContaining(`${url}/jobs/`),
    expect.stringContaining(`${url}/metrics`),
    expect.stringContaining(`${url}/healthz`),
    expect.stringContaining(`${url}/digests`),
  ]);
});

test("POST /digests enqueues every job and answers at once", async () => {
  const repository = await createRepository([...weeklyCommits(4), { name: "Root", email: "root@localhost" }]);
  const { url, folder } = await startService(repository);
  const response = await post(url);
  expect(response.status).toBe(202);
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(await response.json()).toMatchObject({
    status: "enqueued",
    jobs: 10,
    duplicates: 0,
    page: "/jobs/",
  });
  await untilSent(url, 5);
  expect((await readdir(folder)).filter((name) => name.endsWith(".eml"))).toHaveLength(4);
});

test("GET /metrics answers with the exposition, in which every run is counted", async () => {
  const { url } = await startService(await createRepository([...weeklyCommits(3), { email: "" }]));
  // Its jobs are known before they run.
  const before = await metricsOf(url);
  expect(before.get('nidus_jobs_started_total{job_name="send_digest"}')).toBe(0);
  const counted = [...before].filter(([name]) => /_(total|count|sum|bucket)\b/.test(name));
  expect(counted.length).toBeGreaterThan(10);
  expect(counted.filter(([, value]) => value !== 0)).toEqual([]);
  expect(before.get('nidus_engine_up{engine="memory"}')).toBe(1);
  await post(url);
  await untilSent(url, 4);
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = samplesOf(await response.text());
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="success"}')).toBe(3);
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="failure"}')).toBe(1);
  expect(samples.get('nidus_jobs_finished_total{job_name="reindex_users",status="success"}')).toBe(1);
});

test("a request after the end of a run runs every job again, and messages are replaced", async () => {
  const { url, folder } = await startService(await createRepository(weeklyCommits(3)));
  for (const runs of [1, 2]) {
    // The record of a run is removed a moment after its last job.
    await expect
      .poll(async () => ((await (await post(url)).json()) as { duplicates: number }).duplicates)
      .toBe(0);
    await untilSent(url, 3 * runs);
  }
  expect((await readdir(folder)).filter((name) => name.endsWith(".eml"))).toHaveLength(3);
});

test("GET /healthz answers 200, also with a query", async () => {
  const { url } = await startService(await createRepository([]));
  const response = await fetch(`${url}/healthz?from=a+balancer`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: "ok",
    engines: [{ engine: "memory", isReachable: true }],
  });
});

test("a request during a run stores nothing twice", async () => {
  const mail = await startMailServer({ acceptsAtMost: 0 });
  const { url } = await startService(await createRepository(weeklyCommits(2)), { SMTP_URL: mail.url });
  expect(await (await post(url)).json()).toMatchObject({ jobs: 4, duplicates: 0 });
  await expect.poll(() => mail.waiting).toBe(2);
  expect(await (await post(url)).json()).toMatchObject({ jobs: 4, duplicates: 4 });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await metricsOf(url)).get('nidus_jobs_in_progress{job_name="send_digest"}')).toBe(2);
  mail.answerAll();
  await untilSent(url, 2);
  expect(mail.accepted).toHaveLength(2);
});

test("a missing repository is a 500 that says so, and the service stays up", async () => {
  const repository = await createRepository(weeklyCommits(2));
  const { url } = await startService(repository);
  await rename(repository, `${repository}-moved`);
  onTestFinished(() => rename(`${repository}-moved`, repository).catch(() => {}));
  const response = await post(url);
  expect([response.status, await response.json()]).toEqual([
    500,
    { status: expect.stringContaining(repository) },
  ]);
  await rename(`${repository}-moved`, repository);
  expect((await post(url)).status).toBe(202);
});

test("a client that sends a long body, or goes away, does not disturb others", async () => {
  const mail = await startMailServer({ acceptsAtMost: 0 });
  const { url } = await startService(await createRepository([{}]), { SMTP_URL: mail.url });
  const leaving = request(`${url}/digests`, { method: "POST" }).on("error", () => {});
  leaving.end("x".repeat(1_000_000));
  await expect.poll(() => mail.waiting).toBe(1);
  leaving.destroy();
  mail.answerAll();
  await untilSent(url, 1);
  expect((await post(url)).status).toBe(202);
});

test("it listens on 127.0.0.1 only", async () => {
  const { port } = await startService(await createRepository([]));
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const others = addresses.filter(({ internal, family }) => !internal && family === "IPv4");
  // All of 127.0.0.0/8 is loopback on Linux: a server answers there only if it listens on every address.
  const hosts = [
    ...others.map(({ address }) => address),
    ...(process.platform === "linux" ? ["127.0.0.2"] : []),
  ];
  for (const host of hosts) {
    const socket = connect({ host, port });
    await expect(once(socket, "connect")).rejects.toThrow(expect.objectContaining({ code: "ECONNREFUSED" }));
  }
  expect(hosts).not.toEqual([]);
});

test("a port that is in use ends it with one line that names it and 1", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const args = [
    "start",
    await createRepository([]),
    "--port",
    String(port),
    "--out",
    await temporaryFolder(),
    "--engine",
    "memory",
  ];
  expect(await runProgram(args)).toEqual({
    status: 1,
    signal: null,
    stdout: "",
    stderr: `users-api: cannot listen on 127.0.0.1:${port} (EADDRINUSE)\n`,
  });
});

test("users.json is refreshed at the times of --refresh", async () => {
  const repository = await createRepository(weeklyCommits(2));
  const options = ["--engine", "memory", "--refresh", "* * * * * *"];
  const { folder } = await startService(repository, {}, options);
  const users = async () => JSON.parse(await readFile(join(folder, "users.json"), "utf8").catch(() => "[]"));
  await expect.poll(users).toEqual([{ email: "ada@example.com", name: "Ada", commits: 2 }]);
  await commitTo(repository, {});
  await expect.poll(users).toEqual([{ email: "ada@example.com", name: "Ada", commits: 3 }]);
});

test("times for --refresh that are none are refused in one line", async () => {
  const args = ["start", await createRepository([]), "--port", "0", "--engine", "memory"];
  const { status, stderr } = await runProgram([
    ...args,
    "--out",
    await temporaryFolder(),
    "--refresh",
    "soon",
  ]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^users-api: .*cron.*soon.*\n$/);
});
