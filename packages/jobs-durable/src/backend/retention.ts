/** How long engines keep what has ended. Idempotency keys hold for as long. */
export interface RetentionOptions {
  /** Milliseconds for which jobs that succeeded, or were cancelled, are kept. @default a day */
  readonly retainSucceededMs?: number | undefined;
  /** Milliseconds for which dead letters are kept. @default 14 days */
  readonly retainDeadLettersMs?: number | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;

/** What engines keep unless told otherwise. */
export const defaultRetention: Readonly<
  Required<{ retainSucceededMs: number; retainDeadLettersMs: number }>
> = {
  retainSucceededMs: dayMs,
  retainDeadLettersMs: 14 * dayMs,
};
