import { afterAll, describe, expect, it } from "vitest";
import type { EngineTask } from "../src/task.ts";
import { Crew, jobsBetweenDeaths } from "./support/crew.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";

const kills = 5;
const leaseMs = 1_000;

describe("a producer and two workers, killed one after the other", async () => {
  const [redis, postgres] = await Promise.all([redisToKill(), postgresToKill()]);
  afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

  const onRedis: EngineTask | undefined = redis && {
    kind: "bullmq",
    place: redis.url,
    space: "older",
    leaseMs,
  };
  const onPostgres: EngineTask | undefined = postgres && {
    kind: "pg-boss",
    place: postgres.url,
    space: "older",
    leaseMs,
  };
  const engines: [string, EngineTask | undefined][] = [
    ["BullMQ 5", onRedis],
    ["BullMQ 6", onRedis && { ...onRedis, space: "newer", isNewerMajor: true }],
    ["pg-boss 10", onPostgres],
    ["pg-boss 12", onPostgres && { ...onPostgres, space: "newer", isNewerMajor: true }],
  ];
  for (const [name, engine] of engines) {
    it.skipIf(engine === undefined).concurrent(
      `loses no job, and repeats only runs that were cut off, on ${name}`,
      async ({ onTestFinished }) => {
        const crew = await Crew.start(engine as EngineTask, 10, onTestFinished);
        // "BullMQ 6" is in "…/bullmq@6.7.0/…".
        const version = `/${name.toLowerCase().replace(" ", "@")}.`;
        for (const library of await crew.libraries()) expect(library).toContain(version);
        for (let kill = 0; kill < kills; kill++) {
          await crew.goesOn();
          await crew.killNext();
        }
        const balance = await crew.finish(`${name}, ${kills} processes killed`);
        expect(balance.acknowledged).toBeGreaterThanOrEqual(kills * jobsBetweenDeaths);
        expect(balance.lost).toBe(0);
        expect(balance.recordedTwice).toBe(0);
        expect(balance.duplicates).toBeLessThanOrEqual(crew.runsCutOff + balance.refusedResults);
      },
    );
  }
});
