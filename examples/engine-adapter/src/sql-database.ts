/** A row, as PGlite and `pg` give it. */
export type Row = Readonly<Record<string, unknown>>;

/** The part of a database that the engine uses. PGlite and its transactions are such objects. */
export interface SqlDatabase {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** Runs a statement. Resolves to its rows. */
export async function rowsOf(db: SqlDatabase, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await db.query(text, values)).rows as Row[];
}
