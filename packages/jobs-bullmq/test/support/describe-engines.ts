import { type RedisServer, startRedis } from "test-servers";
import { afterAll, beforeAll, describe } from "vitest";
import type { bullmqEngine } from "../../src/index.ts";
import { bullmqVersions, importOn } from "./on-bullmq.ts";

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

  for (const version of bullmqVersions) {
    describe(`${title}, on BullMQ ${version}`, async () => {
      const { bullmqEngine } = await importOn(version);
      define({ bullmqEngine, redis: () => redis });
    });
  }
}
