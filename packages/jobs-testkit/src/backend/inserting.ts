import assert from "node:assert/strict";
import { envelopeFrom } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import { allStored, type BackendKit, countsOf } from "./backend-kit.ts";

const racers = 8;
const rounds = 8;

export const inserting: Behaviour<BackendKit> = (declare) => {
  declare("stores one of many jobs with one id that come at the same time", async (kit) => {
    const backends = [await kit.open()];
    const [backend] = backends;
    assert.ok(backend);
    backends.push(await kit.another(backend));
    const name = kit.name("racing");
    for (let round = 0; round < rounds; round++) {
      const job = kit.job(name, { hasIdempotencyKey: true });
      const answers = await Promise.all(
        Array.from({ length: racers }, (_, racer) => backends[racer % 2]?.insert([job], {})),
      );
      const stored = answers.flat().filter((answer) => answer?.isDuplicate === false).length;
      assert.equal(stored, 1, `${stored} of ${racers} inserts with one id say that they stored it`);
    }
    assert.equal((await countsOf(backend, name)).waiting, rounds);
  });

  declare("stores nothing if its job ends at the same time", async (kit) => {
    const backend = await kit.open();
    const other = await kit.another(backend);
    const name = kit.name("ending");
    const consumer = await kit.consumer(backend, name);
    for (let round = 0; round < rounds; round++) {
      const job = kit.job(name, { hasIdempotencyKey: true });
      assert.deepEqual(await backend.insert([job], {}), allStored([job]));
      const leased = await consumer.next();
      const [isRecorded, ...answers] = await Promise.all([
        consumer.settle(leased, { type: "succeeded" }),
        other.insert([job], {}),
        backend.insert([job], {}),
      ]);
      assert.equal(isRecorded, true);
      const isDuplicate = answers.flat().map((answer) => answer.isDuplicate);
      assert.deepEqual(isDuplicate, [true, true], "the id is taken for as long as the job is retained");
    }
    const { waiting, running, succeeded } = await countsOf(backend, name);
    assert.deepEqual({ waiting, running, succeeded }, { waiting: 0, running: 0, succeeded: rounds });
    assert.deepEqual(await consumer.takeFor(200), [], "a job that has succeeded does not come again");
  });

  declare("answers for each job of a batch, in its order", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("batch");
    const jobs = kit.jobs(name, 4).map((job) => ({ ...job, hasIdempotencyKey: true }));
    const [, second, , fourth] = jobs;
    assert.ok(second && fourth);
    assert.deepEqual(await backend.insert([second, fourth], {}), allStored([second, fourth]));
    const changed = jobs.map((job) => ({ ...job, envelopeText: JSON.stringify({ payload: "another" }) }));
    const answers = await backend.insert(changed, {});
    assert.deepEqual(
      answers,
      changed.map(({ id }, index) => ({ id, isDuplicate: index === 1 || index === 3 })),
    );
    const consumer = await kit.consumer(backend, name);
    const kept = (await consumer.take(4)).find(({ id }) => id === second.id);
    assert.equal(
      kept?.envelope.payload,
      envelopeFrom(second.envelopeText).payload,
      "a duplicate leaves the first as it was",
    );
  });
};
