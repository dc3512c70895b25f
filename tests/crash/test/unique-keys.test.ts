import { afterAll, describe, expect, it } from "vitest";
import { openEngine } from "../src/open-engine.ts";
import type { EngineTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";

const processes = 4;

describe("a unique key that several processes enqueue at the same moment", async () => {
  const [redis, postgres] = await Promise.all([redisToKill(), postgresToKill()]);
  afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

  const kinds = [
    { name: "BullMQ 5", kind: "bullmq", place: redis?.url, isNewerMajor: false },
    { name: "BullMQ 6", kind: "bullmq", place: redis?.url, isNewerMajor: true },
    { name: "pg-boss 10", kind: "pg-boss", place: postgres?.url, isNewerMajor: false },
    { name: "pg-boss 12", kind: "pg-boss", place: postgres?.url, isNewerMajor: true },
  ] as const;

  for (const { name, kind, place, isNewerMajor } of kinds) {
    it.skipIf(place === undefined).concurrent(
      `stores one job, whose id each of them gets, on ${name}`,
      async ({ onTestFinished }) => {
        // The store is new to all of them: the first to enqueue creates what the job needs.
        const space = `unique_${isNewerMajor ? "newer" : "older"}`;
        const engine: EngineTask = { kind, place: place ?? "", space, leaseMs: 30_000, isNewerMajor };
        const children = Array.from(
          { length: processes },
          () => new Child({ role: "claim", engine, uniqueKey: "report 7" }, onTestFinished),
        );
        await Promise.all(children.map((child) => child.says("ready")));
        const answers = await Promise.all(children.map((child) => child.answer("enqueue", "claimed")));
        const enqueued = answers.flatMap((answer) => answer.enqueued);
        expect(enqueued.length).toBeGreaterThan(processes);
        expect(new Set(enqueued.map(({ id }) => id)).size, "they got one id").toBe(1);
        expect(enqueued.filter(({ isDuplicate }) => !isDuplicate).length, "one of them stored it").toBe(1);
        await Promise.all(children.map((child) => child.stop()));

        // A store of pg-boss 12 is not for pg-boss 10.
        if (isNewerMajor && kind === "pg-boss") return;
        await using looking = await openEngine(engine, () => {});
        const { jobs } = await looking.jobs({ jobName: "work" });
        expect(jobs.map(({ id, state }) => [id, state])).toEqual([[enqueued[0]?.id, "waiting"]]);
      },
    );
  }
});
