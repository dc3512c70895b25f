import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, CommanderError } from "commander";
import { expect, onTestFinished, test } from "vitest";
import { type Arguments, commandLine } from "../src/command-line.ts";

/** Runs a command line whose commands do nothing. Resolves to what one was called with, or to what was printed instead. */
async function parsed(...args: string[]): Promise<{ command?: string; args?: Arguments; printed: string }> {
  const { exitCode } = process;
  onTestFinished(() => {
    process.exitCode = exitCode;
  });
  let [called, printed]: [object, string] = [{}, ""];
  const run = (command: string) => async (given: Arguments) => {
    called = { command, args: given };
    return 0;
  };
  const program = commandLine({ demo: run("demo"), start: run("start") });
  const write = (text: string): void => {
    printed += text;
  };
  const quiet = (command: Command): unknown =>
    command.exitOverride().configureOutput({ writeOut: write, writeErr: write }).commands.map(quiet);
  quiet(program);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return { ...called, printed };
}

/** Resolves to the line that refuses a command line. */
async function refusalOf(...args: string[]): Promise<string> {
  const { command, printed } = await parsed(...args);
  expect(command).toBeUndefined();
  expect(printed).not.toBe("");
  return printed;
}

test("a command alone uses every default, and the checkout of the program", async () => {
  const { command, args: { repository = "", ...others } = {} } = await parsed("demo");
  expect(command).toBe("demo");
  expect(others).toEqual({ concurrency: 8 });
  expect(existsSync(join(repository, "apps", "users-api", "package.json"))).toBe(true);
});

test("every option is read, in any position, and folders are made absolute", async () => {
  const options = "--out out --concurrency 3 --port=0 --engine memory --metrics --serve".split(" ");
  const expected = {
    command: "demo",
    args: {
      repository: resolve("some/repository"),
      out: resolve("out"),
      concurrency: 3,
      port: 0,
      metrics: true,
      serve: true,
      engine: "memory",
    },
  };
  expect(await parsed("demo", "some/repository", ...options)).toMatchObject(expected);
  expect(await parsed("demo", ...options, "some/repository")).toMatchObject(expected);
});

test("the help names the commands, the variables and the exit status, and that of a command its options", async () => {
  const { printed } = await parsed("--help");
  for (const word of [
    "demo",
    "start",
    "SMTP_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "/digests",
    "exit status",
  ]) {
    expect(printed).toContain(word);
  }
  const { printed: options } = await parsed("demo", "--help");
  for (const word of ["--out", "--concurrency", "--port", "--metrics", "--engine", "bullmq", "--redis-url"]) {
    expect(options).toContain(word);
  }
});

test.each([
  [["frobnicate"], "frobnicate"],
  [["demo", "one", "two"], "too many arguments"],
  [["demo", "--frobnicate"], "--frobnicate"],
  [["demo", "--out"], "--out"],
  [["demo", "--engine", "mongodb"], "memory, pg-boss, bullmq"],
])("%j is refused, and the line says why", async (args, reason) => {
  expect(await refusalOf(...args)).toContain(reason);
});

test.each([
  ["--concurrency", 1, 1_000],
  ["--port", 0, 65_535],
])("%s is a whole number from %d to %d, and other values are refused", async (option, min, max) => {
  for (const value of [min, max]) {
    expect((await parsed("start", `${option}=${value}`)).args).toMatchObject({ [option.slice(2)]: value });
  }
  const others = [String(min - 1), String(max + 1), "1.5", "", " ", "many", "NaN", "Infinity", "1,000"];
  for (const value of others) {
    expect(await refusalOf("start", `${option}=${value}`)).toContain(`a whole number from ${min} to ${max}`);
  }
});

const databaseUrl = "postgres://user:verysecret@db.example.com:5432/jobs";
const redisUrl = "rediss://:verysecret@redis.example.com:6380/1";

test.each([
  [["--database-url", databaseUrl], { databaseUrl }],
  [["--engine", "pg-boss", "--database-url", databaseUrl], { engine: "pg-boss", databaseUrl }],
  [["--redis-url", redisUrl], { redisUrl }],
  [["--engine", "bullmq", "--redis-url", redisUrl], { engine: "bullmq", redisUrl }],
])("%j is accepted", async (args, choice) => {
  expect((await parsed("demo", ...args)).args).toMatchObject(choice);
});

test.each([
  [["--engine", "pg-boss", "--redis-url", redisUrl], "--redis-url is for the engine bullmq"],
  [["--engine", "memory", "--redis-url", redisUrl], "--redis-url is for the engine bullmq"],
  [["--engine", "bullmq", "--database-url", databaseUrl], "--database-url is for the engine pg-boss"],
  [["--engine", "memory", "--database-url", databaseUrl], "--database-url is for the engine pg-boss"],
  [["--database-url", databaseUrl, "--redis-url", redisUrl], "--redis-url is for the engine bullmq"],
])("%j is refused with a line that shows no URL", async (args, line) => {
  expect(await refusalOf("demo", ...args)).toBe(`error: ${line}\n`);
});
