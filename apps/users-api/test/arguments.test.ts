import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { help, parseArguments } from "../src/arguments.ts";
import { UserError } from "../src/user-error.ts";

function refusalOf(...args: string[]): string {
  try {
    parseArguments(args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/[\r\n]/);
    expect(error.message).not.toBe("");
    return error.message;
  }
  throw new Error(`${args.join(" ")} was not refused`);
}

test("a command alone uses every default, and the checkout of the program", () => {
  const { repository, ...others } = parseArguments(["demo"]);
  expect(others).toEqual({
    command: "demo",
    out: undefined,
    concurrency: 8,
    port: undefined,
    metrics: false,
    serve: false,
    engine: { name: "pg-boss", databaseUrl: undefined },
  });
  expect(existsSync(join(repository, "apps", "users-api", "package.json"))).toBe(true);
});

test("every option is read, in any position, and folders are made absolute", () => {
  const expected = {
    command: "start",
    repository: resolve("some/repository"),
    out: resolve("out"),
    concurrency: 3,
    port: 0,
    metrics: true,
    serve: true,
    engine: { name: "memory" },
  };
  const options = [
    "--out",
    "out",
    "--concurrency",
    "3",
    "--port=0",
    "--engine",
    "memory",
    "--metrics",
    "--serve",
  ];
  expect(parseArguments(["start", "some/repository", ...options])).toEqual(expected);
  expect(parseArguments([...options, "start", "some/repository"])).toEqual(expected);
});

test.each([
  [["--help"]],
  [["-h"]],
  [["help"]],
  [[]],
  [["demo", "--help"]],
  [["start", ".", "--port", "nonsense", "--help"]],
])("%j asks for help", (args) => {
  expect(parseArguments(args).command).toBe("help");
});

test("the help names every command, option and variable, and the exit status", () => {
  for (const word of [
    "demo",
    "start",
    "--out",
    "--concurrency",
    "--port",
    "--metrics",
    "--serve",
    "--engine",
    "memory",
    "pg-boss",
    "bullmq",
    "--redis-url",
    "--database-url",
    "--help",
    "SMTP_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "POST /digests",
    "GET /metrics",
    "GET /healthz",
    "exit status",
  ]) {
    expect(help).toContain(word);
  }
});

test("an unknown command is refused by name", () => {
  expect(refusalOf("frobnicate")).toBe('there is no command "frobnicate": see --help');
});

test("a second repository is refused by name", () => {
  expect(refusalOf("demo", "one", "two")).toBe('one repository at a time: "two" is one too many');
});

test("an unknown option is refused by name, with where to look", () => {
  expect(refusalOf("demo", "--frobnicate")).toBe("Unknown option '--frobnicate': see --help");
  expect(refusalOf("demo", "-x")).toBe("Unknown option '-x': see --help");
});

test("an option without its value is refused by name", () => {
  expect(refusalOf("demo", "--out")).toMatch(/^Option '--out <value>' argument missing: see --help$/);
});

test("an option whose value looks like an option is refused by name, in one line", () => {
  expect(refusalOf("demo", "--concurrency", "-1")).toContain("--concurrency");
  expect(refusalOf("demo", "--out", "--port", "1")).toContain("--out");
});

test("a value for an option without one is refused", () => {
  expect(refusalOf("demo", "--help=yes")).toContain("--help");
});

test.each([
  ["--concurrency", 1, 1_000],
  ["--port", 0, 65_535],
])("%s is a whole number from %d to %d, and other values are refused and shown", (option, min, max) => {
  for (const value of [min, max]) {
    const name = option.slice(2) as "concurrency" | "port";
    expect(parseArguments(["start", `${option}=${value}`])[name]).toBe(value);
  }
  for (const value of [
    String(min - 1),
    String(max + 1),
    "1.5",
    "",
    " ",
    "many",
    "NaN",
    "Infinity",
    "1,000",
  ]) {
    expect(refusalOf("start", `${option}=${value}`)).toBe(
      `${option} is expected to be a whole number from ${min} to ${max}, got "${value}"`,
    );
  }
});
