import { engineContract } from "@nidus/jobs-testkit/contracts";
import { sharedRedis } from "test-servers";
import { afterAll, describe, it, vi } from "vitest";

/** The tests are about no deadline: on a busy machine, an answer may take longer than users would wait. */
const answerWithinMs = 60_000;

const redis = await sharedRedis();
const versions = { 5: () => import("bullmq"), 6: () => import("bullmq-6") };

afterAll(() => redis?.stop());

for (const [version, load] of Object.entries(versions)) {
  describe.skipIf(redis === undefined).concurrent(`bullmqEngine on BullMQ ${version}`, async () => {
    vi.resetModules();
    vi.doMock("bullmq", load);
    const { bullmqEngine } = await import("../src/index.ts");
    const connection = { url: redis?.url ?? "" };
    const place = { connection, queue: `contract-${version}-${crypto.randomUUID()}`, answerWithinMs };

    engineContract({
      test: it.concurrent,
      createEngine: (options) => bullmqEngine({ ...options, ...place }),
      createWithRetention: (options) => bullmqEngine({ ...options, ...place }),
    });
  });
}
