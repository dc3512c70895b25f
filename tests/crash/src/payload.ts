/** What a job of the crash tests does. */
export interface Work {
  /** How long its handler takes. */
  readonly runMs: number;
  /** In how many of its first attempts the handler kills its own process. @default 0 */
  readonly deadlyAttempts?: number;
  /** Whether the handler, once it has done its work, waits for the parent's word before it returns. */
  readonly waitsForWord?: boolean;
}
