import { spreadOf } from "../harness.ts";
import type { Store } from "./store.ts";

/** The price of one piece of work. */
export interface Cost {
  readonly title: string;
  /** Milliseconds of the server's CPU: the median. NaN where the system does not tell. */
  readonly storeMs: number;
  /** Milliseconds until the answer: the median. */
  readonly callMs: number;
  /** What is sent to the server, if it was counted: statements, or commands. */
  readonly requests?: number;
}

/** How often a piece of work is repeated, unless it takes long. */
const times = 7;
const enoughMs = 3_000;

/** Measures some work again and again. The first time warms up, unless it is dear. */
export async function measured(
  store: Store,
  title: string,
  work: (round: number) => Promise<unknown>,
): Promise<Cost> {
  const [storeMs, callMs]: [number[], number[]] = [[], []];
  let spentMs = 0;
  for (let round = 0; round <= times && spentMs < enoughMs; round++) {
    const cost = await once(store, () => work(round));
    spentMs += cost.callMs;
    if (round === 0 && cost.callMs * 2 < enoughMs) continue;
    storeMs.push(cost.storeMs);
    callMs.push(cost.callMs);
  }
  return { title, storeMs: spreadOf(storeMs).median, callMs: spreadOf(callMs).median };
}

/** Measures some work once. */
export async function once(store: Store, work: () => Promise<unknown>): Promise<Omit<Cost, "title">> {
  const before = await store.cpuMs();
  const startMs = performance.now();
  await work();
  const callMs = performance.now() - startMs;
  return { storeMs: (await store.cpuMs()) - before, callMs };
}
