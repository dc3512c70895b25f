import type { Stage } from "./stage.ts";

/** Declares one test of the contract. */
export type Check = (name: string, body: (stage: Stage) => Promise<void>, timeoutMs?: number) => void;

/** One behaviour that every engine has: declares its tests. */
export type Behaviour = (check: Check) => void;
