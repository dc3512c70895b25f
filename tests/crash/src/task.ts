/** The engine of a child process, as given on its command line. */
export interface EngineTask {
  readonly kind: "bullmq" | "pg-boss" | "pglite";
  /** A Redis or PostgreSQL URL, or the folder of PGlite. */
  readonly place: string;
  /** Separates the jobs of tests that share a server: the queue of BullMQ, the schema of pg-boss. */
  readonly space: string;
  readonly leaseMs: number;
  /** @default the engine's own */
  readonly answerWithinMs?: number;
  /** Runs on the newer of the two supported majors of pg-boss or BullMQ. @default the older */
  readonly isNewerMajor?: boolean;
}

/** Enqueues without end, and logs the id of every acknowledged job. */
export interface ProduceTask {
  readonly role: "produce";
  readonly engine: EngineTask;
  readonly log: string;
  /** Milliseconds between two enqueues. */
  readonly pauseMs: number;
}

/** Runs jobs, and logs the id of each when its handler starts or ends. */
export interface WorkTask {
  readonly role: "work";
  readonly engine: EngineTask;
  readonly log: string;
  readonly concurrency: number;
}

/** Opens an engine, and answers requests. */
export interface StandByTask {
  readonly role: "stand-by";
  readonly engine: EngineTask;
  /** Job names to work on, all of them idle. @default none */
  readonly idleNames?: readonly string[];
}

/** Opens and closes an engine at each request, with its modules already loaded. */
export interface RaceTask {
  readonly role: "race";
  readonly engine: EngineTask;
}

/** Enqueues with one unique key at each request, at the same moment as the other processes. */
export interface ClaimTask {
  readonly role: "claim";
  readonly engine: EngineTask;
  readonly uniqueKey: string;
}

export type Task = ProduceTask | WorkTask | StandByTask | RaceTask | ClaimTask;

/** A report of a child. */
export type Report =
  /** Says that everything is loaded, with the address of the engine's library. */
  | { readonly type: "ready"; readonly library: string }
  | { readonly type: "refused"; readonly name: string; readonly message: string; readonly tookMs: number }
  | { readonly type: "opened" }
  | { readonly type: "ran"; readonly id: string }
  | { readonly type: "error"; readonly message: string }
  | { readonly type: "settled"; readonly id: string; readonly outcome: string }
  | { readonly type: "enqueued"; readonly id: string }
  | {
      readonly type: "claimed";
      readonly enqueued: readonly { readonly id: string; readonly isDuplicate: boolean }[];
    }
  | { readonly type: "cpu"; readonly userAndSystemMs: number };

/** A request of the parent. */
export type Request = "stop" | "open" | "return" | "enqueue" | "cpu";
