import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { allStored, type BackendKit, countsOf } from "./backend-kit.ts";

export const deliveries: Behaviour<BackendKit> = (declare) => {
  declare("bring jobs as they were stored, up to the limit, of the consumer's names alone", async (kit) => {
    const backend = await kit.open();
    const [name, other] = [kit.name("own"), kit.name("other")];
    const envelope = {
      payload: { list: [1, null, "größe"], nested: { a: true } },
      carrier: { traceparent: "00-1-2-01" },
      correlationId: "order 7",
      attributes: { tenant: "größe", retries: 1.5, isTrial: false },
      backoff: { baseMs: 5, maxMs: 50 },
    };
    const jobs = [1, 2, 3].map((maxAttempts) =>
      kit.job(name, { envelopeText: JSON.stringify(envelope), maxAttempts }),
    );
    assert.deepEqual(await backend.insert(jobs, {}), allStored(jobs));
    await backend.insert([kit.job(other)], {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.fetch(2);
    assert.ok(first.length > 0, "`fetch` waits until there is a job");
    const leased = [...first, ...(await consumer.take(3 - first.length))];
    for (const [index, job] of jobs.entries()) {
      const found = leased.find(({ id }) => id === job.id);
      assert.deepEqual(JSON.parse(JSON.stringify(found?.envelope ?? null)), envelope);
      const { name: foundName, attempt, maxAttempts, isCancelRequested, followsStalled } = found ?? {};
      assert.deepEqual(
        { name: foundName, attempt, maxAttempts, isCancelRequested, followsStalled },
        { name, attempt: 1, maxAttempts: index + 1, isCancelRequested: false, followsStalled: false },
      );
      for (const date of [found?.enqueuedAt, found?.runAt]) assert.ok(date instanceof Date, "a Date");
    }
    assert.deepEqual(await consumer.takeFor(200, 5), [], "no job comes twice, and none of another name");
    assert.equal((await countsOf(backend, name)).running, 3);
    assert.equal((await countsOf(backend, other)).waiting, 1);
  });

  declare("give each job to one of several consumers", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("shared");
    const jobs = kit.jobs(name, 40);
    await backend.insert(jobs, {});
    const consumers = [
      await kit.consumer(backend, name),
      await kit.consumer(await kit.another(backend), name),
      await kit.consumer(backend, name),
    ];
    const ids: string[] = [];
    await Promise.all(
      consumers.map(async (consumer) => {
        while (ids.length < jobs.length) {
          const signal = AbortSignal.timeout(300);
          ids.push(...(await consumer.fetch(3, signal)).map(({ id }) => id));
        }
      }),
    );
    assert.deepEqual(ids.toSorted(), jobs.map(({ id }) => id).toSorted());
  });

  declare("bring names, attempts and errors as long as users may make them", async (kit) => {
    const backend = await kit.open();
    const names = [
      kit.name("x".repeat(500)),
      kit.name("\u{1f600}".repeat(248)),
      kit.name("a:b/c'd\"e {f}%.* "),
    ];
    for (const name of names) {
      const job = kit.job(name, { maxAttempts: 1_000_000 });
      await backend.insert([job], {});
      const consumer = await kit.consumer(backend, name);
      const leased = await consumer.next();
      assert.equal(leased.name, name);
      assert.equal(leased.maxAttempts, 1_000_000);
      const error = "\u{1f600}'\"\\\n".repeat(300);
      assert.equal(await consumer.settle(leased, { type: "dead-lettered", error }), true);
      const letter = (await backend.deadLetters(1_000)).find(({ id }) => id === job.id);
      assert.equal(letter?.error, error);
      assert.equal(letter.jobName, name);
    }
  });
};
