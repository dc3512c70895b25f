import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root, run } from "checks";
import { endsWithThisProcess, findCommand, sharedRedis, startPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

/** Builds an example where it stands. */
async function built(name: string): Promise<string> {
  const folder = join(root, "examples", name);
  const ended = await run("tsc", ["-p", "tsconfig.json"], folder);
  expect(ended, ended.output).toMatchObject({ isOk: true });
  return folder;
}

/** An example that runs as a process of its own. */
class Service {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(folder: string, env: Record<string, string>) {
    this.#child = spawn(process.execPath, ["dist/main.js"], {
      cwd: folder,
      env: { ...process.env, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    endsWithThisProcess(this.#child);
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(line);
    });
  }

  /** Resolves to the address that the service prints when it listens. */
  async address(): Promise<string> {
    await expect.poll(() => this.lines.join("\n")).toMatch(/http:\S+/);
    return /http:\S+/.exec(this.lines.join("\n"))?.[0] as string;
  }

  /** Sends SIGTERM, and resolves to the exit code. */
  async stop(): Promise<number | null> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    return (await ended)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

describe("the example", () => {
  it("in-process prints what its README shows", async () => {
    const folder = await built("in-process");
    const { output } = await run("node", ["dist/main.js"], folder);
    const readme = await readFile(join(folder, "README.md"), "utf8");
    expect(output.trim()).toBe(/```text\n(.*?)\n```/s.exec(readme)?.[1]);
  });

  it("express-pg-boss stores a job for each address, runs it and stops in order", async () => {
    await using service = new Service(await built("express-pg-boss"), {});
    const address = await service.address();
    const post = (email: unknown): Promise<Response> =>
      fetch(`${address}/accounts`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email }),
      });
    expect((await post("nowhere")).status).toBe(400);
    expect((await post("ada@example.org")).status).toBe(202);
    expect(await (await post("ada@example.org")).json()).toMatchObject({ isDuplicate: true });
    await expect.poll(() => service.lines).toContain("welcome, ada@example.org");
    await expect
      .poll(() => textOf(`${address}/metrics`))
      .toContain('nidus_jobs_finished_total{job_name="send_welcome",status="success"} 1');
    expect(await service.stop()).toBe(0);
    expect(service.lines.at(-1)).toBe("stopped");
  });

  it.skipIf(findCommand("postgres") === undefined)(
    "express-pg-boss answers 503 while its database is away",
    async () => {
      const postgres = await startPostgres();
      try {
        await using service = new Service(await built("express-pg-boss"), { DATABASE_URL: postgres.url });
        const address = await service.address();
        await postgres.kill();
        const response = await fetch(`${address}/accounts`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email: "ada@example.org" }),
        });
        expect(response.status).toBe(503);
        expect(await response.json()).toEqual({ error: expect.stringContaining("send the request again") });
      } finally {
        await postgres.stop();
      }
    },
  );

  it.skipIf(redis === undefined)(
    "observe-existing-bullmq counts the runs of a wrapped processor",
    async () => {
      await using service = new Service(await built("observe-existing-bullmq"), {
        REDIS_URL: redis?.url ?? "",
      });
      const address = await service.address();
      await expect.poll(() => textOf(address)).toContain('status="success"} 1');
      await expect.poll(() => textOf(address)).toContain('status="failure"} 1');
      expect(service.lines).toContain("mail for ada@example.org");
      expect(await service.stop()).toBe(0);
      expect(service.lines.at(-1)).toBe("stopped");
    },
  );
});
