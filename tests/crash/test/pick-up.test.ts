import { ObservedJobRunner } from "@nidus/jobs-observe";
import type * as jobsPgBoss from "@nidus/jobs-pg-boss";
import { describe, expect, it, vi } from "vitest";
import { workJob } from "../src/open-engine.ts";
import type { EngineTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { postgresToKill } from "./support/servers.ts";

const versions = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

async function load(version: keyof typeof versions): Promise<typeof jobsPgBoss> {
  vi.resetModules();
  vi.doMock("pg-boss", versions[version]);
  return import("@nidus/jobs-pg-boss");
}

describe.each([10, 12] as const)("a worker that never polls, on pg-boss %i", (version) => {
  it("picks up the jobs of another process, also after the server has crashed", async ({
    onTestFinished,
    skip,
  }) => {
    const server = await postgresToKill();
    if (server === undefined) return skip();
    onTestFinished(() => server.stop());
    const common = { space: "pick_up", leaseMs: 30_000, answerWithinMs: 30_000 };
    const isNewerMajor = version === 12;
    const task: EngineTask = { ...common, kind: "pg-boss", place: server.url, isNewerMajor };
    const producer = new Child({ role: "stand-by", engine: task }, onTestFinished);
    await producer.says("ready");

    const { pgBossEngine } = await load(version);
    const engine = await pgBossEngine({
      runner: new ObservedJobRunner(),
      connectionString: server.url,
      schema: common.space,
      pollIntervalMs: 24 * 60 * 60 * 1000,
      onError: () => {},
    });
    onTestFinished(() => engine.close());
    const picked: string[] = [];
    await engine.work({ jobs: [workJob((_work, { delivery }) => void picked.push(delivery?.jobId ?? ""))] });

    const pickUp = async (): Promise<void> => {
      const { id } = await producer.answer("enqueue", "enqueued");
      await expect.poll(() => picked).toContain(id);
    };
    for (let count = 0; count < 5; count++) await pickUp();
    await server.kill();
    await server.start();
    const since = producer.reports.length;
    await expect
      .poll(() => {
        producer.ask("enqueue");
        return producer.reports.slice(since).some(({ type }) => type === "enqueued");
      })
      .toBe(true);
    await pickUp();
    await producer.stop();
  });
});
