import type { ExecutionEnd } from "./execution-end.ts";

/**
 * How far an execution has come. An execution waits, runs, has ended, is settling while the engine records its end, and is
 * settled once the engine has answered. A worker that stops abandons an execution that it cannot wait for.
 */
export type ExecutionState =
  | {
      readonly phase: "waiting" | "running";
      /** Why its handler is to end: a caller has cancelled the job, or the worker stops. */
      readonly stop: "cancelled" | "interrupted" | undefined;
    }
  | {
      readonly phase: "ended" | "settling" | "abandoned";
      readonly end: ExecutionEnd;
      /** Whether its handler was called, in this execution or in the adopted one. */
      readonly hasRun: boolean;
    }
  | {
      readonly phase: "settled";
      readonly end: ExecutionEnd;
      readonly hasRun: boolean;
      /** Whether the engine has recorded its end, or refused to. */
      readonly isRecorded: boolean;
    };

/** The phases of an execution whose handler has not ended yet. */
export type UnendedState = Extract<ExecutionState, { readonly stop: unknown }>;

/** Tells whether the handler of an execution has not ended yet. */
export function isUnended(state: ExecutionState): state is UnendedState {
  return state.phase === "waiting" || state.phase === "running";
}
