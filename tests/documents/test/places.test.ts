import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { INestApplicationContext } from "@nestjs/common";
import type { JobEngine } from "@nidus/jobs-durable";
import type { Observability } from "@nidus/observability";
import { Queue } from "bullmq";
import { pageBlocksOf } from "checks";
import { sharedRedis } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const blocks = pageBlocksOf("where-you-run-it.md");
const redis = await sharedRedis();
let folder: string;

/** The files of the page that a framework loads, under the names that it looks for. */
beforeAll(() => {
  const generated = fileURLToPath(new URL("./.generated", import.meta.url));
  mkdirSync(generated, { recursive: true });
  folder = mkdtempSync(join(generated, "places-"));
  const compilerOptions = { experimentalDecorators: true, target: "es2022" };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  const codeOf = (found: (block: (typeof blocks)[number]) => boolean): string => {
    const code = blocks.find(found)?.code;
    if (code === undefined) throw new Error("expected the block on the page, found none");
    return code;
  };
  writeFileSync(
    join(folder, "jobs.ts"),
    codeOf(({ file }) => file === "jobs.ts"),
  );
  writeFileSync(
    join(folder, "instrumentation.ts"),
    codeOf(({ file }) => file === "instrumentation.ts"),
  );
  writeFileSync(
    join(folder, "mails.ts"),
    codeOf(({ code }) => code.includes("WorkerHost")),
  );
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await redis?.stop();
});

const load = (file: string): Promise<object> => import(pathToFileURL(join(folder, file)).href);

interface NextJobs {
  jobs(): Promise<{ engine: JobEngine; observability: Observability }>;
}

describe("the recipe for Next.js, as the plain modules that it is", () => {
  it("starts nothing at the edge, works in Node, shares its engine and stops at SIGTERM", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const others = process.listeners("SIGTERM");
    const added = () => process.listeners("SIGTERM").filter((each) => !others.includes(each));
    try {
      const { register } = (await load("instrumentation.ts")) as { register(): Promise<void> };
      vi.stubEnv("NEXT_RUNTIME", "edge");
      await register();
      expect("usersJobs" in globalThis).toBe(false);

      vi.stubEnv("NEXT_RUNTIME", "nodejs");
      await register();
      // The module enqueues a job, as a route handler does.
      const { engine } = await ((await load("jobs.ts")) as NextJobs).jobs();
      await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
      expect(log).toHaveBeenCalledWith("digest for ada@example.org");

      // Another bundle, or a hot reload, evaluates the module again.
      cpSync(join(folder, "jobs.ts"), join(folder, "jobs-of-a-route.ts"));
      const again = await ((await load("jobs-of-a-route.ts")) as NextJobs).jobs();
      expect(again.engine).toBe(engine);

      const [stop] = added();
      stop?.("SIGTERM");
      await expect.poll(() => exit.mock.calls.length).toBe(1);
      await expect(engine.stats()).rejects.toThrow();
    } finally {
      for (const each of added()) process.off("SIGTERM", each);
      vi.unstubAllEnvs();
      log.mockRestore();
      exit.mockRestore();
    }
  });
});

describe("the recipe for @nestjs/bullmq", () => {
  it.skipIf(redis === undefined)("observes the runs of a processor, and keeps its results", async () => {
    const url = redis?.url ?? "";
    const mails = (await load("mails.ts")) as {
      observability: Observability;
      startMails(url: string): Promise<INestApplicationContext>;
    };
    const app = await mails.startMails(url);
    const queue = new Queue("mails", { connection: { url } });
    try {
      const { id } = await queue.add("digest", { to: "ada" });
      await expect.poll(async () => (await queue.getJob(id as string))?.returnvalue).toBe("digest for ada");
      await expect
        .poll(() => mails.observability.metrics())
        .toContain('nidus_jobs_finished_total{job_name="mails",status="success"} 1');
    } finally {
      await queue.close();
      await app.close();
    }
  });
});
