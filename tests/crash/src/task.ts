/** Where the jobs are kept, as a child process is told on its command line. */
export interface EngineTask {
  readonly kind: "bullmq" | "pg-boss" | "pglite";
  /** A Redis or PostgreSQL URL, or the folder of PGlite. */
  readonly place: string;
  /** Keeps the jobs of tests apart that share a server: the queue of BullMQ, the schema of pg-boss. */
  readonly space: string;
  readonly leaseMs: number;
  /** @default the engine's own */
  readonly answerWithinMs?: number;
  /** Runs on the newer of the two supported majors of pg-boss or BullMQ. @default the older */
  readonly isNewerMajor?: boolean;
}

/** Enqueues without end, and notes the id of every job that was acknowledged. */
export interface ProduceTask {
  readonly role: "produce";
  readonly engine: EngineTask;
  readonly log: string;
  /** Milliseconds between two enqueues. */
  readonly pauseMs: number;
}

/** Runs jobs, and notes the id of each when its handler starts or ends. */
export interface WorkTask {
  readonly role: "work";
  readonly engine: EngineTask;
  readonly log: string;
  readonly concurrency: number;
}

/** Opens an engine, and does what it is asked to. */
export interface StandByTask {
  readonly role: "stand-by";
  readonly engine: EngineTask;
  /** Job names to work on, all of them idle. @default none */
  readonly idleNames?: readonly string[];
}

/** Opens and closes an engine whenever it is told to, with everything loaded beforehand. */
export interface RaceTask {
  readonly role: "race";
  readonly engine: EngineTask;
}

export type Task = ProduceTask | WorkTask | StandByTask | RaceTask;

/** What a child says of itself. */
export type Report =
  /** With the address of the library that the engine is on, once everything is loaded. */
  | { readonly type: "ready"; readonly library: string }
  | { readonly type: "refused"; readonly name: string; readonly message: string; readonly tookMs: number }
  | { readonly type: "opened" }
  | { readonly type: "ran"; readonly id: string }
  | { readonly type: "error"; readonly message: string }
  | { readonly type: "settled"; readonly id: string; readonly outcome: string }
  | { readonly type: "enqueued"; readonly id: string }
  | { readonly type: "cpu"; readonly userAndSystemMs: number };

/** What a parent asks of it. */
export type Request = "stop" | "open" | "return" | "enqueue" | "cpu";
