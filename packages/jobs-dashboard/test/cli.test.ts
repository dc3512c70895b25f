import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { endsWithThisProcess, sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, describe, expect, test } from "vitest";
import { cliArguments } from "../src/cli/arguments.ts";
import type { SessionView } from "../src/wire.ts";
import type { EnginesView } from "../src/wire-stored.ts";
import { ownHeaders } from "./support/page-client.ts";

const [postgres, redis] = await Promise.all([sharedPostgres(), sharedRedis()]);
afterAll(async () => {
  await Promise.all([postgres?.stop(), redis?.stop()]);
});

const command = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const folder = fileURLToPath(new URL("..", import.meta.url));

/** Runs the command while `use` runs, and ends it by SIGTERM. Resolves to its exit code. */
async function running(args: readonly string[], use: (url: string) => Promise<void>): Promise<number | null> {
  const child = spawn(process.execPath, [command, ...args, "--port", "0"], { cwd: folder });
  endsWithThisProcess(child);
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk;
      const found = /http:\S+/.exec(output)?.[0];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", () => reject(new Error(output)));
  });
  try {
    await use(url);
  } finally {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
  }
  return child.exitCode;
}

const waiting = defineJob({ name: "waiting", run: () => undefined });

async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

function cancel(url: string, engine: string, id: string): Promise<Response> {
  const headers = Object.fromEntries(Object.entries(ownHeaders).filter(([name]) => name !== "Host"));
  return fetch(`${url}api/actions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ type: "cancel", engine, ids: [id] }),
  });
}

describe("the command", () => {
  test.skipIf(postgres === undefined)("opens a PostgreSQL that is in use, and changes it", async () => {
    const connectionString = postgres?.url ?? "";
    const engine = await pgBossEngine({ runner: new ObservedJobRunner(), connectionString, schema: "cli" });
    const { id } = await engine.enqueue(waiting);
    const code = await running(["--database-url", connectionString, "--schema", "cli"], async (url) => {
      expect(await get<SessionView>(`${url}api/session`)).toMatchObject({ access: "operate", process: null });
      const { engines } = await get<EnginesView>(`${url}api/engines`);
      expect(engines).toMatchObject([{ name: "pg-boss", counts: { waiting: 1 } }]);
      expect((await cancel(url, "pg-boss", id)).status).toBe(200);
    });
    expect(code).toBe(0);
    expect(await engine.stats()).toMatchObject({ waiting: 0, cancelled: 1 });
    await engine.close();
  });

  test.skipIf(postgres === undefined)("creates no tables in an empty PostgreSQL", async () => {
    const schema = `cli_${crypto.randomUUID().slice(0, 8)}`;
    const args = ["--database-url", postgres?.url ?? "", "--schema", schema];
    await expect(running(args, async () => {})).rejects.toThrow(`"${schema}" has no tables of pg-boss`);
    await expect(running(args, async () => {})).rejects.toThrow(`"${schema}" has no tables of pg-boss`);
  });

  test.skipIf(redis === undefined)("opens a Redis read-only, and removes nothing", async () => {
    const queue = `cli-${crypto.randomUUID()}`;
    const connection = { url: redis?.url ?? "" };
    const engine = await bullmqEngine({ runner: new ObservedJobRunner(), connection, queue });
    const { id } = await engine.enqueue(waiting);
    await running(["--redis-url", connection.url, "--queue", queue, "--read-only"], async (url) => {
      expect(await get<SessionView>(`${url}api/session`)).toMatchObject({ access: "read" });
      const { engines } = await get<EnginesView>(`${url}api/engines`);
      expect(engines).toMatchObject([{ name: "bullmq", counts: { waiting: 1 } }]);
      expect((await cancel(url, "bullmq", id)).status).toBe(403);
    });
    expect(await engine.stats()).toMatchObject({ waiting: 1 });
    await engine.close();
  });

  test("fails with the reason if the server is away, and shows no password", async () => {
    const url = "redis://user:s3cret@127.0.0.1:1";
    await expect(running(["--redis-url", url], async () => {})).rejects.toThrow(
      /^(?!.*s3cret).*127\.0\.0\.1:1/s,
    );
  });

  test.each([
    [[], "expected --database-url or --redis-url"],
    [["--redis-url", "http://x"], "expected --redis-url to be a URL"],
    [["--database-url", "x:s3cret"], "expected --database-url to be a URL"],
    [["--redis-url", "redis://x", "--port", "99999"], "expected --port"],
    [["--redis-url", "redis://x", "--port", "-1"], "--port"],
    [["--redis", "redis://x"], "--redis"],
  ])("refuses %j", (args, message) => {
    expect(() => cliArguments(args)).toThrow(message);
    expect(() => cliArguments(args)).not.toThrow("s3cret");
  });

  test("explains itself", () => {
    expect(cliArguments(["--help"]).isHelp).toBe(true);
  });
});
