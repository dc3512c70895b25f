import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { expect, it } from "vitest";
import { describeEngines } from "../support/describe-engines.ts";

const payload = { name: "Ada", list: [1, null, "\u0000"], "": {} };
const job = defineJob<typeof payload>({ name: "text", run() {} });

describeEngines("a queue", ({ bullmqEngine, redis }) => {
  it("stores text as it is, alone and in bulk, and BullMQ reads it back", async () => {
    const queue = `text-${crypto.randomUUID()}`;
    const connection = { url: redis().url };
    await using engine = await bullmqEngine({ runner: new ObservedJobRunner(), connection, queue });
    const envelope = { payloadBytes: Buffer.byteLength(JSON.stringify(payload)), payload };
    const runAt = new Date("2099-01-01T00:00:00Z");
    const [alone, ...bulk] = [
      await engine.enqueue(job, payload),
      ...(await engine.enqueueMany(job, [payload, payload], { runAt, idempotencyKey: "k" })),
    ];
    const theirs = new Queue(`${queue}.text`, { connection });
    try {
      expect((await theirs.getJob(alone?.id ?? ""))?.data).toEqual(envelope);
      const client = (await theirs.client) as unknown as {
        hget(key: string, field: string): Promise<string>;
      };
      expect(await client.hget(theirs.toKey(alone?.id ?? ""), "data")).toBe(JSON.stringify(envelope));
      for (const { id } of bulk) {
        const nonce = expect.stringMatching(/^[0-9a-f-]{36}$/);
        expect((await theirs.getJob(id))?.data).toEqual({ ...envelope, runAtMs: runAt.getTime(), nonce });
      }
    } finally {
      await theirs.close();
    }
  });

  it.each([{}, { priority: 3 }, { runAt: new Date("2099-01-01T00:00:00Z") }])(
    "stores each job of a batch as BullMQ stores one: %o",
    async (options) => {
      const queue = `batch-${crypto.randomUUID()}`;
      const connection = { url: redis().url };
      await using engine = await bullmqEngine({ runner: new ObservedJobRunner(), connection, queue });
      const alone = await engine.enqueue(job, payload, options);
      const batch = await engine.enqueueMany(job, [payload, payload, payload], options);
      const theirs = new Queue(`${queue}.text`, { connection });
      try {
        const one = (await theirs.getJob(alone.id))?.asJSON();
        expect(JSON.parse(JSON.stringify(one?.opts))).toMatchObject({ jobId: alone.id });
        for (const { id } of batch) {
          const each = (await theirs.getJob(id))?.asJSON();
          const times = {
            timestamp: expect.any(Number) as number,
            opts: { ...Object(one?.opts), jobId: id },
          };
          if ("runAt" in options) Object.assign(times.opts, { delay: expect.any(Number) });
          if ("runAt" in options) Object.assign(times.opts, { timestamp: expect.any(Number) });
          expect(each).toEqual({ ...one, id, ...times });
        }
      } finally {
        await theirs.close();
      }
    },
  );
});
