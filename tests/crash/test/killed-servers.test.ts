import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import type { EngineTask } from "../src/task.ts";
import { Crew, jobsBetweenDeaths } from "./support/crew.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";

const kills = 2;

describe("a server that is killed", async () => {
  const [redis, postgres] = await Promise.all([redisToKill(), postgresToKill()]);
  afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

  const common = { space: "killed", leaseMs: 1_000 };
  const servers = [
    {
      name: "Redis under BullMQ",
      server: redis,
      engine: { ...common, kind: "bullmq", place: redis?.url ?? "" },
    },
    {
      name: "PostgreSQL under pg-boss",
      server: postgres,
      engine: { ...common, kind: "pg-boss", place: postgres?.url ?? "" },
    },
  ] satisfies { name: string; server: unknown; engine: EngineTask }[];
  for (const { name, server, engine } of servers) {
    it.skipIf(server === undefined).concurrent(
      `loses no job, and its clients recover by themselves: ${name}`,
      async ({ onTestFinished }) => {
        const crew = await Crew.start(engine, 5, onTestFinished);
        for (let kill = 0; kill < kills; kill++) {
          await crew.goesOn();
          await server?.kill();
          await pause(300 + Math.random() * 700);
          await server?.start();
        }
        await crew.goesOn();
        const { acknowledged, lost } = await crew.finish(`${name}, killed ${kills} times`);
        expect(acknowledged).toBeGreaterThanOrEqual((kills + 1) * jobsBetweenDeaths);
        expect(lost).toBe(0);
      },
    );
  }
});
