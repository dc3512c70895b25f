/** The behaviour of a job of the crash tests. */
export interface Work {
  /** The duration of its handler. */
  readonly runMs: number;
  /** The number of first attempts in which the handler kills its own process. @default 0 */
  readonly deadlyAttempts?: number;
  /** Whether the handler waits for a request of the parent between its work and its return. */
  readonly waitsForWord?: boolean;
}
