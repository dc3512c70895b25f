import { setTimeout as pause } from "node:timers/promises";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { spreadOf } from "../harness.ts";
import { type Cost, measured, once } from "./measure.ts";
import { jobOf, nameAt, type OpenStore } from "./store.ts";

/** How many jobs a worker fetches at once. */
const batch = 50;
const rounds = 5;

/** How long an engine and a worker need until they have done all that their start asks for. */
const settlingMs = 5_000;

/** How long an idle worker is watched. */
const idleMs = 10_000;

/** Measures what a worker costs the store for a batch of jobs of one name. */
export async function deliveryRows({ store, engine }: OpenStore): Promise<Cost[]> {
  const fetches: Omit<Cost, "title">[] = [];
  const settlements: Omit<Cost, "title">[] = [];
  // A store of few jobs has even fewer of one name.
  const payloads = Array.from({ length: (rounds + 4) * (batch + 1) }, () => ({ to: "ada@example.org" }));
  await engine.enqueueMany(jobOf(nameAt(0)), payloads);
  for (let round = 0; round < rounds; round++) {
    let started = 0;
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const job = jobOf(nameAt(0), () => {
      started++;
      return gate;
    });
    const worker = await engine.work({ jobs: [job], concurrency: 1 });
    await until(() => started === 1);
    fetches.push(
      await once(store, async () => {
        worker.concurrency = batch + 1;
        await until(() => started === batch + 1);
      }),
    );
    settlements.push(
      await once(store, async () => {
        const stopped = worker.stop();
        open();
        await stopped;
      }),
    );
  }
  const rows = [
    median(`fetch ${batch} jobs of a name`, fetches),
    median(`settle ${batch} jobs`, settlements),
  ];
  if (store.fetch === undefined) return rows;
  await engine.enqueueMany(jobOf(nameAt(0)), payloads);
  const fetch = (): Promise<unknown> => store.fetch?.(nameAt(0), batch) as Promise<unknown>;
  return [...rows, await measured(store, `fetch ${batch} jobs of a name, by pg-boss itself`, fetch)];
}

/** Measures what an idle worker costs the store in a second. */
export async function idleRow({ store, size, engine: shared }: OpenStore): Promise<Cost> {
  const engine = (await store.openAlone?.(new ObservedJobRunner())) ?? shared;
  const jobs = Array.from({ length: size.names }, (_, place) => jobOf(nameAt(place)));
  const worker = await engine.work({ jobs, concurrency: 10 });
  await pause(settlingMs);
  const { storeMs, callMs } = await once(store, () => pause(idleMs));
  const requests = await store.requests(() => pause(idleMs));
  await worker.stop();
  if (engine !== shared) await engine.close();
  const title = "idle worker of all names, a second";
  const seconds = callMs / 1_000;
  return { title, storeMs: storeMs / seconds, callMs: Number.NaN, requests: requests / seconds };
}

function median(title: string, costs: readonly Omit<Cost, "title">[]): Cost {
  return {
    title,
    storeMs: spreadOf(costs.map(({ storeMs }) => storeMs)).median,
    callMs: spreadOf(costs.map(({ callMs }) => callMs)).median,
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(1);
}
