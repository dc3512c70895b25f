import type { NewJob } from "@nidus/jobs-durable/backend";
import { describe, expect, it } from "vitest";
import { JobInserter } from "../../src/store/job-inserter.ts";
import type { Queues } from "../../src/store/queues.ts";

const job = { id: "1", name: "a", envelopeText: "{}" } as NewJob;

describe("a job inserter", () => {
  it("rejects if an open queue throws", async () => {
    const broken = new Error("no command");
    const queue = {
      addBatch() {
        throw broken;
      },
    };
    const queues = { of: () => queue } as unknown as Queues;
    const inserter = new JobInserter(queues, { succeededSeconds: 1, deadLettersSeconds: 1 });
    await expect(inserter.insert([job])).rejects.toBe(broken);
    await expect(inserter.insert([job, job])).rejects.toBe(broken);
  });
});
