import { type RedisServer, startRedis } from "test-servers";
import { afterAll, beforeAll, describe, vi } from "vitest";
import type { bullmqEngine } from "../../src/index.ts";

const versions = { 5: () => import("bullmq"), 6: () => import("bullmq-6") };

/** The parts that tests of engines share. */
interface TestedEngines {
  /** Opens an engine on the BullMQ of the description. */
  readonly bullmqEngine: typeof bullmqEngine;
  /** The Redis of the file, which has started when a test runs. */
  readonly redis: () => RedisServer;
}

/** Describes engines on each BullMQ, with a Redis for all tests of the file. */
export function describeEngines(title: string, define: (tested: TestedEngines) => void): void {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  for (const [version, load] of Object.entries(versions)) {
    describe(`${title}, on BullMQ ${version}`, async () => {
      vi.resetModules();
      vi.doMock("bullmq", load);
      const { bullmqEngine } = await import("../../src/index.ts");
      define({ bullmqEngine, redis: () => redis });
    });
  }
}
