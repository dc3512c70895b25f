/** A job whose end a caller waits for. */
export interface AwaitedJob {
  readonly id: string;
  /** Undefined until the store has told it with a state. */
  readonly jobName: string | undefined;
}

/** What a store knows of the end of a job. */
export type JobEnd =
  /** It has not ended. */
  | { readonly state: "pending"; readonly jobName: string }
  /** `resultText` is that of the outcome: JSON of the same value, or undefined if there was none. */
  | { readonly state: "succeeded"; readonly resultText?: string | undefined }
  /** `error` is that of the outcome. */
  | { readonly state: "dead-lettered"; readonly error: string }
  | { readonly state: "cancelled" }
  /** There is no such job, or it is no longer retained. */
  | { readonly state: "unknown" };
