/** Runs SQL: pg-boss's own database object, or your transaction. */
export interface SqlDatabase {
  /** Runs the statement `text`, with `values` for its parameters `$1`, `$2` and so on. */
  // biome-ignore lint/suspicious/noExplicitAny: rows have whatever columns the statement returns, as in pg-boss's own type.
  executeSql(text: string, values?: any[]): Promise<{ rows: any[] }>;
}

/** The part of pg-boss that the engine uses. pg-boss 10 and pg-boss 12 both have it. */
export interface PgBossLike {
  /** Adds a listener for errors of pg-boss's own work. */
  on(event: "error", handler: (error: Error) => void): unknown;
  /** Removes such a listener. */
  off(event: "error", handler: (error: Error) => void): unknown;
  /** Connects, creates the tables and begins the maintenance. */
  start(): Promise<unknown>;
  /** Ends pg-boss's work. */
  stop(options?: { graceful?: boolean; close?: boolean; timeout?: number }): Promise<void>;
  /** Returns the database on which pg-boss runs its statements. */
  getDb(): SqlDatabase;
}
