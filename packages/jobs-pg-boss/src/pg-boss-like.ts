/** What runs SQL: pg-boss's own database object, or the caller's transaction. */
export interface SqlDatabase {
  /** `values` stand for `$1`, `$2` and so on in `text`. */
  // biome-ignore lint/suspicious/noExplicitAny: rows have whatever columns the statement returns, as in pg-boss's own type.
  executeSql(text: string, values?: any[]): Promise<{ rows: any[] }>;
}

/** What the engine needs of pg-boss 10 and of pg-boss 12 alike. */
export interface PgBossLike {
  /** Hears of what goes wrong in its own work. */
  on(event: "error", handler: (error: Error) => void): unknown;
  /** Hears no more of it. */
  off(event: "error", handler: (error: Error) => void): unknown;
  /** Connects, makes its tables and begins its maintenance. */
  start(): Promise<unknown>;
  /** Ends its work. */
  stop(options?: { graceful?: boolean; close?: boolean; timeout?: number }): Promise<void>;
  /** What it runs its statements with. */
  getDb(): SqlDatabase;
  /** Stores jobs by the clock. */
  schedule(name: string, cron: string, data: object, options: object): Promise<void>;
  /** Ends a schedule. */
  unschedule(name: string, key?: string): Promise<void>;
}
