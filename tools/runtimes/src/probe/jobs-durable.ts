import { deepEqual, equal } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import type { Checks } from "./check.ts";

export const checks: Checks = {
  async "the memory engine delivers a job again that has failed"() {
    const outcomes: string[] = [];
    const runner = new ObservedJobRunner({ onJobSettled: ({ outcome }) => void outcomes.push(outcome) });
    const engine = memoryEngine({ runner });
    const sent: string[] = [];
    const sendMail = defineJob<{ to: string }>({
      name: "send_mail",
      maxAttempts: 3,
      backoff: { baseMs: 1, maxMs: 1 },
      run({ to }, { delivery }) {
        if (delivery?.attempt === 1) throw new Error("busy");
        sent.push(`${to}, attempt ${delivery?.attempt}`);
      },
    });
    const [first, second] = await Promise.all(
      [1, 2].map(() => engine.enqueue(sendMail, { to: "ann" }, { idempotencyKey: "order-7" })),
    );
    deepEqual([first?.isDuplicate, second?.isDuplicate, first?.id === second?.id], [false, true, true]);
    const worker = await engine.work({ jobs: [sendMail] });
    while ((await engine.stats()).succeeded === 0) await pause(5);
    const { started, retried, succeeded } = await worker.stop();
    await engine.close();
    deepEqual({ started, retried, succeeded }, { started: 2, retried: 1, succeeded: 1 });
    deepEqual(sent, ["ann, attempt 2"]);
    equal(outcomes.join(), "retried,succeeded");
  },
};
