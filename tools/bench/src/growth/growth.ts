import { parseArgs } from "node:util";
import type { Cost } from "./measure.ts";
import { pageRows } from "./page-rows.ts";
import { postgresStore } from "./postgres-store.ts";
import { redisStore } from "./redis-store.ts";
import { writeGrown } from "./results.ts";
import { changingRows, readingRows } from "./rows.ts";
import { jobOf, nameAt, openStore, type Size, type Store } from "./store.ts";
import { deliveryRows, idleRow } from "./worker-rows.ts";

/** The price of everything on one store of one size. */
export interface Grown extends Size {
  readonly store: string;
  readonly costs: readonly Cost[];
}

const starts: Readonly<Record<string, () => Promise<Store>>> = {
  "pg-boss-10": () => postgresStore(10),
  "pg-boss-12": () => postgresStore(12),
  bullmq: redisStore,
};

/** How many schedules a store has at most. */
const maxSchedules = 200;

/** Measures stores of several sizes, one after the other, and keeps the figures of each. */
export async function growth(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      stores: { type: "string", default: Object.keys(starts).join(",") },
      jobs: { type: "string", default: "10000,100000,1000000" },
      names: { type: "string", default: "1,20,200" },
    },
  });
  for (const store of values.stores.split(",")) {
    for (const names of values.names.split(",").map(Number)) {
      for (const jobs of values.jobs.split(",").map(Number)) writeGrown(await grown(store, { jobs, names }));
    }
  }
}

async function grown(kind: string, size: Size): Promise<Grown> {
  const start = starts[kind];
  if (start === undefined) throw new Error(`there is no store ${kind}: choose of ${Object.keys(starts)}`);
  const store = await start();
  const costs: Cost[] = [];
  const add = (rows: readonly Cost[]): void => {
    costs.push(...rows);
    for (const { title, storeMs, callMs, requests } of rows) {
      const numbers = [storeMs, callMs, requests ?? Number.NaN].map((each) => each.toFixed(2).padStart(9));
      console.log(`${numbers.join(" ")}  ${store.title}, ${size.jobs} jobs, ${size.names} names: ${title}`);
    }
  };
  try {
    const open = await openStore(store, size);
    const { engine } = open;
    const names = Array.from({ length: size.names }, (_, place) => nameAt(place));
    for (const name of names) await engine.enqueue(jobOf(name), { to: "ada@example.org" });
    for (const name of names.slice(0, maxSchedules)) {
      await engine.schedule(jobOf(name), "0 3 1 1 *", { to: "ada@example.org" });
    }
    await store.fill(size);
    try {
      add(await readingRows(open));
      add(await pageRows(open));
      add(await deliveryRows(open));
      add(await changingRows(open));
      await store.empty();
      add([await idleRow(open)]);
    } finally {
      await engine.close();
    }
  } finally {
    await store.stop();
  }
  return { store: store.title, ...size, costs };
}
