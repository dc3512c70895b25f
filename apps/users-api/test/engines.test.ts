import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import {
  freePort,
  prepareEmbeddedFolder,
  type SharedServer,
  sharedPostgres,
  sharedRedis,
} from "test-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDemoOutput } from "./support/demo-output.ts";
import { createRepository, weeklyCommits } from "./support/git-repository.ts";
import { type MailServer, startMailServer } from "./support/mail-server.ts";
import { samplesOf } from "./support/metrics-text.ts";
import { complaintsIn, Program, runProgram } from "./support/program.ts";
import { startService } from "./support/service.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const messagesIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith(".eml"));

const subjectsIn = (server: MailServer) =>
  Promise.all(server.accepted.map(async ({ content }) => (await simpleParser(content)).subject));

/** Starts a demo whose mail server accepts five messages and keeps four waiting. Resolves when it has done so. */
async function demoInTheMiddle(args: readonly string[]) {
  const server = await startMailServer({ acceptsAtMost: 5 });
  const program = new Program(["demo", ...args, "--concurrency", "4"], { SMTP_URL: server.url });
  const ended = program.ended.then((result) => {
    throw new Error(`it ended too early: ${JSON.stringify(result)}`);
  });
  const isThere = expect.poll(() => server.waiting).toBe(4);
  await Promise.race([isThere, ended]);
  // The engine records the accepted messages in the next moments. Then the demo only waits for the mail server.
  await program.comesToRest();
  ended.catch(() => {});
  return { program, server };
}

test("embedded in its folder, the next run finishes one that was interrupted or killed, sends nothing twice, and others are refused meanwhile", async () => {
  const [repository, out] = [await createRepository(weeklyCommits(30)), await temporaryFolder()];
  await prepareEmbeddedFolder(join(out, "jobs"));
  const args = [repository, "--out", out];

  const interrupted = await demoInTheMiddle(args);
  interrupted.program.process.kill("SIGINT");
  const { status, stdout, stderr } = await interrupted.program.ended;
  expect({ status, stderr: complaintsIn(stderr) }).toEqual({ status: 1, stderr: "" });
  expect(parseDemoOutput(stdout)).toMatchObject({
    failures: ["none"],
    earlier: undefined,
    lastLine: expect.stringMatching(
      /^Interrupted: \d+ of 60 jobs have ended; .*; run the same command again for the other \d+$/,
    ),
  });

  const killed = await demoInTheMiddle(args);
  const refused = await runProgram(["demo", ...args]);
  expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 1, stdout: "" });
  const holder = `process ${killed.program.process.pid} on ${hostname()}`;
  expect(refused.stderr).toContain(`users-api: the folder ${out}/jobs is in use by ${holder}`);
  expect(refused.stderr).toMatch(/: an embedded database belongs to one process at a time\n$/);
  killed.program.process.kill("SIGKILL");
  expect(await killed.program.ended).toMatchObject({ signal: "SIGKILL" });

  const server = await startMailServer();
  const last = await runProgram(["demo", ...args, "--metrics"], { SMTP_URL: server.url });
  expect({ status: last.status, stderr: complaintsIn(last.stderr) }).toEqual({ status: 0, stderr: "" });
  const { summary, earlier, lastLine, metrics } = parseDemoOutput(last.stdout);
  expect(
    Number(/^(\d+) jobs were finished by an earlier run$/.exec(earlier ?? "")?.[1]),
  ).toBeGreaterThanOrEqual(10);
  expect(lastLine).toBe(`Done: 60 of 60 jobs have ended; their files are in ${out}`);
  expect(summary.send_digest?.slice(0, 2)).toEqual(["20", "0"]);
  const samples = samplesOf(metrics);
  expect(samples.get('nidus_jobs_enqueued_total{job_name="send_digest"}')).toBe(30);
  expect(samples.get('nidus_job_wait_seconds_count{job_name="send_digest"}')).toBe(20);
  expect(samples.get('nidus_jobs_waiting{job_name="send_digest"}')).toBe(0);

  const sent = await Promise.all([interrupted.server, killed.server, server].map(subjectsIn));
  expect(sent.map(({ length }) => length)).toEqual([5, 5, 20]);
  expect(new Set(sent.flat()).size).toBe(30);
  expect(await messagesIn(out)).toHaveLength(30);
  expect((await readdir(out)).filter((name) => !name.endsWith(".eml")).sort()).toEqual([
    "commits",
    "jobs",
    "users.json",
  ]);
});

test("an unreachable server ends it with one line that shows no password", async () => {
  const [repository, out] = [await createRepository([{}]), await temporaryFolder()];
  const url = `postgres://user:verysecret@127.0.0.1:${await freePort()}/jobs`;
  const result = await runProgram(["demo", repository, "--out", out, "--database-url", url]);
  expect(result).toMatchObject({ status: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^users-api: PostgreSQL at 127\.0\.0\.1:\d+\/jobs is unreachable \(.*ECONNREFUSED.*\)\n$/,
  );
  expect(result.stderr).not.toContain("verysecret");
});

test.each(["--redis-url", "--database-url"])(
  "a %s that is none ends it with one line that does not show it",
  async (option) => {
    const args = [
      "demo",
      await createRepository([{}]),
      "--out",
      await temporaryFolder(),
      option,
      "verysecret",
    ];
    const { status, stdout, stderr } = await runProgram(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^users-api: [^\n]*(Redis|PostgreSQL)[^\n]*\n$/);
    expect(stderr).not.toContain("verysecret");
  },
);

/** How many stored jobs a service has finished. */
async function endedIn({ url }: { readonly url: string }): Promise<number> {
  const samples = samplesOf(await (await fetch(`${url}/metrics`)).text());
  return [...samples]
    .filter(([name]) => /^nidus_jobs_finished_total\{job_name="(send_digest|index_commit)"/.test(name))
    .reduce((sum, [, value]) => sum + value, 0);
}

describe.each([
  ["Redis", sharedRedis, "--redis-url"],
  ["PostgreSQL", sharedPostgres, "--database-url"],
])("on %s", (name, share, option) => {
  let server: SharedServer | undefined;
  beforeAll(async () => {
    server = await share();
  });
  afterAll(() => server?.stop());

  test("two services share the digests of one request, and each digest is sent once", async ({ skip }) => {
    if (server === undefined) return skip();
    const mail = await startMailServer({ acceptsAtMost: 0 });
    const repository = await createRepository([
      ...weeklyCommits(30),
      { name: "Root", email: "root@localhost" },
    ]);
    const options = [option, server.url, "--concurrency", "2"];
    const start = () => startService(repository, { SMTP_URL: mail.url }, options);
    const services = [await start(), await start()] as const;
    const response = await fetch(`${services[0].url}/digests`, { method: "POST" });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      status: "enqueued",
      jobs: 62,
      duplicates: 0,
      page: "/jobs/",
    });
    // Both run as many jobs as they can.
    await expect.poll(() => mail.waiting).toBe(4);
    mail.answerAll();
    await expect.poll(() => mail.accepted.length).toBe(30);
    await expect
      .poll(async () => (await Promise.all(services.map(endedIn))).reduce((a, b) => a + b))
      .toBe(62);
    const counts = await Promise.all(
      services.map(async ({ url }) => {
        const samples = samplesOf(await (await fetch(`${url}/metrics`)).text());
        return samples.get('nidus_jobs_finished_total{job_name="send_digest",status="success"}') ?? 0;
      }),
    );
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(2);
    expect(counts.reduce((sum, count) => sum + count)).toBe(30);
    expect(mail.accepted).toHaveLength(30);
    expect(new Set(await subjectsIn(mail)).size).toBe(30);
    const folders = await Promise.all(services.map(({ folder }) => messagesIn(folder)));
    expect(folders.map(({ length }) => length)).toEqual(counts);
    for (const { program } of services) program.process.kill("SIGTERM");
    for (const { program } of services) {
      const { status, stderr } = await program.ended;
      expect({ status, stderr: complaintsIn(stderr) }).toEqual({ status: 0, stderr: "" });
    }
  });

  test("the demo runs like elsewhere, and stores no jobs in its folder", async ({ skip }) => {
    if (server === undefined) return skip();
    const [repository, out] = [await createRepository(weeklyCommits(3)), await temporaryFolder()];
    const args = ["demo", repository, "--out", out, option, server.url];
    const { status, stdout, stderr } = await runProgram(args);
    expect({ status, stderr: complaintsIn(stderr) }).toEqual({ status: 0, stderr: "" });
    expect(parseDemoOutput(stdout)).toMatchObject({
      failures: ["none"],
      lastLine: `Done: 6 of 6 jobs have ended; their files are in ${out}`,
    });
    expect((await readdir(out)).filter((name) => !name.endsWith(".eml")).sort()).toEqual([
      "commits",
      "users.json",
    ]);
  });

  // PostgreSQL works like the embedded one.
  test.runIf(name === "Redis")(
    "the next run finishes a killed one, and sends nothing again",
    async ({ skip }) => {
      if (server === undefined) return skip();
      const [repository, out] = [await createRepository(weeklyCommits(20)), await temporaryFolder()];
      const args = [repository, "--out", out, option, server.url];
      const killed = await demoInTheMiddle(args);
      killed.program.process.kill("SIGKILL");
      await killed.program.ended;
      const mail = await startMailServer();
      const { status, stdout, stderr } = await runProgram(["demo", ...args], { SMTP_URL: mail.url });
      expect({ status, stderr: complaintsIn(stderr) }).toEqual({ status: 0, stderr: "" });
      const { summary, earlier, lastLine } = parseDemoOutput(stdout);
      expect(summary.send_digest?.slice(0, 2)).toEqual(["15", "0"]);
      expect(earlier).toMatch(/^\d+ jobs were finished by an earlier run$/);
      expect(lastLine).toBe(`Done: 40 of 40 jobs have ended; their files are in ${out}`);
      expect(mail.accepted).toHaveLength(15);
      expect(new Set([...(await subjectsIn(killed.server)), ...(await subjectsIn(mail))]).size).toBe(20);
    },
  );
});
