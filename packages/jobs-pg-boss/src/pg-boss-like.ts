/** What runs SQL: pg-boss's own database object, or the caller's transaction. */
export interface SqlDatabase {
  /** `values` stand for `$1`, `$2` and so on in `text`. */
  // biome-ignore lint/suspicious/noExplicitAny: rows have whatever columns the statement returns, as in pg-boss's own type.
  executeSql(text: string, values?: any[]): Promise<{ rows: any[] }>;
}

/** A job as pg-boss fetches it with its metadata: the part that is looked at. */
export interface PgBossJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly retryCount: number;
  readonly retryLimit: number;
  readonly createdOn: Date;
  readonly startAfter: Date;
}

/** What the engine needs of pg-boss 10 and of pg-boss 12 alike. */
export interface PgBossLike {
  on(event: "error", handler: (error: Error) => void): unknown;
  off(event: "error", handler: (error: Error) => void): unknown;
  start(): Promise<unknown>;
  stop(options?: { graceful?: boolean; close?: boolean; timeout?: number }): Promise<void>;
  getDb(): SqlDatabase;
  createQueue(name: string): Promise<unknown>;
  send(name: string, data: object, options: object): Promise<string | null>;
  fetch(name: string, options: { batchSize: number; includeMetadata: true }): Promise<unknown[]>;
  schedule(name: string, cron: string, data: object, options: object): Promise<void>;
  unschedule(name: string, key?: string): Promise<void>;
}
