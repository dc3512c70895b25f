import type { JobEngine } from "@nidus/jobs-durable";
import { type Cost, measured, once } from "./measure.ts";
import { jobOf, nameAt, type OpenStore, partsOf, uniqueKeyAt } from "./store.ts";

/** How many jobs a portion has. */
const portion = 50;

/** How far down a list a deep page is. */
const deepPages = 20;
const pageSize = 100;

type Query = NonNullable<Parameters<JobEngine["jobs"]>[0]>;

/** Measures the calls that read the store. */
export async function readingRows({ store, size, engine, readings }: OpenStore): Promise<Cost[]> {
  const name = nameAt(0);
  const [first] = (await engine.jobs({ jobName: name, state: "succeeded", limit: 1 })).jobs;
  // A waiting job of the first name, at a place that has a key.
  const { ended, running } = partsOf(size);
  const start = ended + running;
  let place = Math.ceil(start / size.names) * size.names;
  while (place % 20 !== 1 && place < size.jobs - size.names && size.names % 20 !== 0) place += size.names;
  const keyed = size.names % 20 === 0 ? Math.ceil(start / 20) * 20 + 1 : place;
  const key = { jobName: nameAt(keyed % size.names), uniqueKey: uniqueKeyAt(keyed) };
  if ((await engine.job(key)) === undefined) throw new Error(`there is no job with the key ${key.uniqueKey}`);
  const scrape = (): Promise<unknown> => Promise.all([readings.backlog(), readings.deadLetters?.()]);
  const rows: Cost[] = [
    { title: "stats, the first time", ...(await once(store, () => engine.stats())) },
    await measured(store, "stats, from then on", () => engine.stats()),
    { title: "backlog and dead letters, the first scrape", ...(await once(store, scrape)) },
    await measured(store, "backlog and dead letters, from then on", scrape),
    await measured(store, "times of schedules, at a scrape", async () => readings.schedules?.()),
    await measured(store, "deadLetters, 100", () => engine.deadLetters({ limit: pageSize })),
    await measured(store, "job, by id", () => engine.job(first?.id ?? "")),
    await measured(store, "job, by unique key", () => engine.job(key)),
  ];
  const lists: readonly (readonly [string, Query])[] = [
    ["of a name", { jobName: name }],
    ["of a name, waiting", { jobName: name, state: "waiting" }],
    ["of a name, succeeded", { jobName: name, state: "succeeded" }],
    ["of a name, dead-lettered", { jobName: name, state: "dead-lettered" }],
    ["of all names", {}],
    ["of all names, running", { state: "running" }],
    ["of all names, dead-lettered", { state: "dead-lettered" }],
  ];
  for (const [title, query] of lists) {
    const page = { ...query, limit: pageSize };
    rows.push(await measured(store, `jobs ${title}, first page`, () => engine.jobs(page)));
    const cursor = await deepCursor(engine, query);
    if (cursor === undefined) continue;
    rows.push(await measured(store, `jobs ${title}, deep page`, () => engine.jobs({ ...page, cursor })));
  }
  return rows;
}

/** Finds the place after many pages, or the last one. Undefined if there is only one page. */
async function deepCursor(engine: JobEngine, query: Query): Promise<string | undefined> {
  let deepest: string | undefined;
  for (let page = 0; page < deepPages; page++) {
    const { cursor } = await engine.jobs({ ...query, limit: 1_000, ...(deepest && { cursor: deepest }) });
    if (cursor === undefined) break;
    deepest = cursor;
  }
  return deepest;
}

/** Measures the calls that change the store. */
export async function changingRows({ store, engine }: OpenStore): Promise<Cost[]> {
  const name = nameAt(0);
  const job = jobOf(name);
  const payloads = Array.from({ length: portion }, () => ({ to: "ada@example.org" }));
  const letters = await engine.jobs({ state: "dead-lettered", limit: 20 });
  const waiting = await engine.jobs({ state: "waiting", limit: 20 });
  return [
    await measured(store, "enqueue", () => engine.enqueue(job, { to: "ada@example.org" })),
    await measured(store, "redrive", (round) => engine.redrive(letters.jobs[round]?.id ?? "")),
    await measured(store, "cancel", (round) => engine.cancel(waiting.jobs[round]?.id ?? "")),
    await measured(store, `redriveAll, ${portion}`, () => engine.redriveAll({ limit: portion })),
    {
      title: "redriveAll of an error that none of the dead letters has",
      ...(await once(store, () => engine.redriveAll({ error: "none has this" }))),
    },
    await measured(store, `enqueueMany and cancelAll, ${portion}`, async () => {
      await engine.enqueueMany(job, payloads);
      await engine.cancelAll({ jobName: name, limit: portion });
    }),
    ...(store.sweep === undefined
      ? []
      : [await measured(store, "retention, nothing to remove", () => store.sweep?.() as Promise<unknown>)]),
  ];
}
