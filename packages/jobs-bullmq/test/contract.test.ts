import { engineContract } from "@nidus/jobs-testkit/contracts";
import { sharedRedis } from "test-servers";
import { afterAll, describe, it } from "vitest";
import { bullmqVersions, importOn } from "./support/on-bullmq.ts";

/** The tests are about no deadline: on a busy machine, an answer may take longer than users would wait. */
const answerWithinMs = 60_000;

const redis = await sharedRedis();

afterAll(() => redis?.stop());

for (const version of bullmqVersions) {
  describe.skipIf(redis === undefined).concurrent(`bullmqEngine on BullMQ ${version}`, async () => {
    const { bullmqEngine } = await importOn(version);
    const connection = { url: redis?.url ?? "" };
    const place = { connection, queue: `contract-${version}-${crypto.randomUUID()}`, answerWithinMs };

    engineContract({
      test: it.concurrent,
      createEngine: (options) => bullmqEngine({ ...options, ...place }),
      createWithRetention: (options) => bullmqEngine({ ...options, ...place }),
    });
  });
}
