import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { JobDelivery } from "@nidus/jobs-observe";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

export const batchOptions: Behaviour<Kit> = (declare) => {
  declare("hold for every job of the batch, each under the id of its position", async (kit) => {
    const { engine } = await kit.open();
    const seen = new Map<number, JobDelivery | undefined>();
    const job = defineJob<number>({
      name: kit.name("options"),
      run: (payload, { delivery }) => void seen.set(payload, delivery),
    });
    const runAt = new Date(Date.now() + 800);
    const enqueued = await engine.enqueueMany(job, [0, 1, 2], {
      runAt,
      maxAttempts: 9,
      correlationId: "import 5",
    });
    await engine.work({ jobs: [job], concurrency: 3 });
    await eventually(() => assert.equal(seen.size, 3));
    for (const [position, { id }] of enqueued.entries()) {
      const delivery = seen.get(position);
      assert.equal(delivery?.jobId, id);
      assert.equal(delivery.maxAttempts, 9);
      assert.equal(delivery.correlationId, "import 5");
      assert.ok(
        Math.abs(delivery.runAt.getTime() - runAt.getTime()) <= 5,
        "its `runAt` is not the one of the enqueue",
      );
    }
  });
};
