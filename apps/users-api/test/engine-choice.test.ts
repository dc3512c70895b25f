import { expect, test } from "vitest";
import { type EngineOptions, engineChoiceFrom } from "../src/engine-choice.ts";
import { UserError } from "../src/user-error.ts";

function refusalOf(options: EngineOptions): string {
  try {
    engineChoiceFrom(options);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error(`${JSON.stringify(options)} was not refused`);
}

const databaseUrl = "postgres://user:verysecret@db.example.com:5432/jobs";
const redisUrl = "rediss://:verysecret@redis.example.com:6380/1";

test.each([
  [{}, { name: "pg-boss", databaseUrl: undefined }],
  [{ engine: "memory" }, { name: "memory" }],
  [{ engine: "pg-boss" }, { name: "pg-boss", databaseUrl: undefined }],
  [
    { engine: "pg-boss", "database-url": databaseUrl },
    { name: "pg-boss", databaseUrl },
  ],
  [{ "database-url": databaseUrl }, { name: "pg-boss", databaseUrl }],
  [{ engine: "bullmq" }, { name: "bullmq", redisUrl: "redis://127.0.0.1:6379" }],
  [
    { engine: "bullmq", "redis-url": redisUrl },
    { name: "bullmq", redisUrl },
  ],
  [{ "redis-url": redisUrl }, { name: "bullmq", redisUrl }],
] as const)("%j is %j", (options, choice) => {
  expect(engineChoiceFrom(options)).toEqual(choice);
});

test.each([
  [{ engine: "mongodb" }, '--engine is expected to be memory, pg-boss or bullmq, got "mongodb"'],
  [{ engine: "" }, '--engine is expected to be memory, pg-boss or bullmq, got ""'],
  [
    { engine: "pg-boss", "redis-url": redisUrl },
    "--redis-url needs the engine bullmq, but --engine is pg-boss",
  ],
  [
    { engine: "memory", "redis-url": redisUrl },
    "--redis-url needs the engine bullmq, but --engine is memory",
  ],
  [
    { engine: "bullmq", "database-url": databaseUrl },
    "--database-url needs the engine pg-boss, but --engine is bullmq",
  ],
  [
    { engine: "memory", "database-url": databaseUrl },
    "--database-url needs the engine pg-boss, but --engine is memory",
  ],
  [
    { "database-url": databaseUrl, "redis-url": redisUrl },
    "--redis-url and --database-url belong to different engines: pass one of them",
  ],
  [{ "redis-url": databaseUrl }, "--redis-url is expected to be a URL such as redis://127.0.0.1:6379"],
  [{ "redis-url": "verysecret" }, "--redis-url is expected to be a URL such as redis://127.0.0.1:6379"],
  [
    { "database-url": redisUrl },
    "--database-url is expected to be a URL such as postgres://user@127.0.0.1:5432/database",
  ],
])("%j is refused with a line that shows no URL", (options, line) => {
  expect(refusalOf(options)).toBe(line);
  expect(line).not.toContain("verysecret");
});
