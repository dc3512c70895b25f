import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "test-servers";
import { expect, test } from "vitest";
import { parseDemoOutput } from "./support/demo-output.ts";
import { createRepository, weeklyCommits } from "./support/git-repository.ts";
import { startMailServer } from "./support/mail-server.ts";
import { samplesOf } from "./support/metrics-text.ts";
import { Program, type ProgramResult, runProgram } from "./support/program.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** Returns the one line on stderr of a program that refused to run. */
function refusalIn({ status, stdout, stderr }: ProgramResult): string {
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  const [line = "", ...others] = stderr.split("\n");
  expect(others).toEqual([""]);
  return line;
}

test("a folder that is no repository ends it with one line and 1", async () => {
  const [folder, out] = [await temporaryFolder(), await temporaryFolder()];
  const result = await runProgram(["demo", folder, "--out", out], {
    GIT_CEILING_DIRECTORIES: join(folder, ".."),
  });
  expect(refusalIn(result)).toBe(`users-api: ${folder} is not a git repository`);
  expect(await readdir(out)).toEqual([]);
});

test("a missing folder ends it with one line and 1", async () => {
  const folder = join(await temporaryFolder(), "missing");
  expect(refusalIn(await runProgram(["demo", folder, "--out", await temporaryFolder()]))).toContain(folder);
});

test("a PATH without git ends it with one line and 1", async () => {
  const [repository, out] = [await createRepository([{}]), await temporaryFolder()];
  const result = await runProgram(["demo", repository, "--out", out], { PATH: await temporaryFolder() });
  expect(refusalIn(result)).toBe("users-api: git was not found: install it, or add it to the PATH");
});

test("a folder that cannot be written to ends it with one line and 1", async () => {
  const repository = await createRepository([{}]);
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  for (const out of [file, join(file, "below")]) {
    expect(refusalIn(await runProgram(["demo", repository, "--out", out]))).toContain(
      `cannot write to ${out} (`,
    );
  }
});

test.each([
  [["frobnicate"], "error: unknown command 'frobnicate'"],
  [["demo", "--frobnicate=secret"], "error: unknown option '--frobnicate'"],
  [
    ["demo", "--concurrency", "0"],
    "error: option '--concurrency <n>' argument '0' is invalid. It is expected to be a whole number from 1 to 1000.",
  ],
])("%j ends it with one line and 1", async (args, line) => {
  expect(refusalIn(await runProgram(args))).toBe(line);
});

test.each([
  ["SMTP_URL", "localhost"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example.com:4318"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense"],
])("the unusable variable %s=%s ends it with one line that names it and 1", async (name, value) => {
  const [repository, out] = [await createRepository([{}]), await temporaryFolder()];
  expect(
    refusalIn(await runProgram(["demo", repository, "--out", out, "--engine", "memory"], { [name]: value })),
  ).toContain(name);
});

test("--help prints the help on stdout and ends with 0", async () => {
  const { status, stdout, stderr } = await runProgram(["--help"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: users-api .*\n(.*\n)* *demo /);
});

test("an unreachable mail server is retried, and is no expected failure: all is reported, and the exit status is 1", async () => {
  const out = await temporaryFolder();
  const repository = await createRepository(weeklyCommits(3));
  const env = { SMTP_URL: `smtp://127.0.0.1:${await freePort()}` };
  const { status, stdout, stderr } = await runProgram(
    ["demo", repository, "--out", out, "--engine", "memory", "--metrics"],
    env,
  );
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  const { summary, failures, metrics, lastLine } = parseDemoOutput(stdout);
  expect(summary.send_digest?.slice(0, 2)).toEqual(["15", "15"]);
  expect(failures).toEqual([expect.stringMatching(/^15 × send_digest: .*ECONNREFUSED/)]);
  const samples = samplesOf(metrics);
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="failure"}')).toBe(15);
  expect(samples.get('nidus_job_retries_total{job_name="send_digest"}')).toBe(12);
  expect(samples.get('nidus_jobs_dead_lettered_total{job_name="send_digest"}')).toBe(3);
  expect(lastLine).toBe(`Done: 6 of 6 jobs have ended; their files are in ${out}`);
});

test("a recipient that the mail server refuses is no expected failure either, and the others get their messages", async () => {
  const server = await startMailServer({
    refusal: (to) => (to.startsWith("gone") ? "no such user" : undefined),
  });
  const repository = await createRepository([{ email: "gone@example.com" }, { email: "ada@example.com" }]);
  const out = await temporaryFolder();
  const { status, stdout } = await runProgram(["demo", repository, "--out", out, "--engine", "memory"], {
    SMTP_URL: server.url,
  });
  expect(status).toBe(1);
  // A refusal for good is not retried.
  expect(parseDemoOutput(stdout).summary.send_digest?.slice(0, 2)).toEqual(["2", "1"]);
  expect(parseDemoOutput(stdout).failures).toEqual([
    expect.stringMatching(/^1 × send_digest: .*no such user/),
  ]);
  expect(server.accepted.flatMap(({ to }) => to)).toEqual(["ada@example.com"]);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends it early: the report covers the jobs that ran, and the exit status is 1",
  async (signal) => {
    const server = await startMailServer({ acceptsAtMost: 5 });
    const [repository, out] = [await createRepository(weeklyCommits(40)), await temporaryFolder()];
    const program = new Program(
      ["demo", repository, "--out", out, "--concurrency", "4", "--engine", "memory", "--metrics"],
      {
        SMTP_URL: server.url,
      },
    );
    await expect.poll(() => server.waiting).toBe(4);
    const signalledAt = performance.now();
    program.process.kill(signal);
    const { status, stdout, stderr } = await program.ended;
    // The mail server alone would delay it for half a minute.
    expect(performance.now() - signalledAt).toBeLessThan(25_000);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    const { summary, failures, metrics, lastLine } = parseDemoOutput(stdout);
    expect(summary.send_digest?.slice(0, 2)).toEqual(["9", "0"]);
    expect(failures).toEqual(["none"]);
    const samples = samplesOf(metrics);
    expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="success"}')).toBe(5);
    expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="cancelled"}')).toBe(4);
    expect(lastLine).toMatch(
      /^Interrupted: \d+ of 80 jobs have ended; .*; the others are lost with this engine$/,
    );
  },
);
