import type { Behaviour } from "./check.ts";
import { enqueue } from "./enqueue.ts";
import { enqueueMany } from "./enqueue-many.ts";
import { exactlyOnce } from "./exactly-once.ts";
import { runAt } from "./run-at.ts";

/** All of the contract, in reading order. */
export const behaviours: readonly Behaviour[] = [enqueue, enqueueMany, exactlyOnce, runAt];
