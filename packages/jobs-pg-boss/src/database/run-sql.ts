import type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";
import { yieldToEventLoop } from "./yield-to-event-loop.ts";

/** A row that a statement returns. */
// biome-ignore lint/suspicious/noExplicitAny: rows have whatever columns the statement returns.
export type Row = Record<string, any>;

/**
 * Makes the database on which a pg-boss runs its own statements. It asks pg-boss each time, since there is none before the start.
 * After pg-boss has stopped, statements reject as if the server was unreachable.
 */
export function bossDatabase(boss: PgBossLike): SqlDatabase {
  return {
    async executeSql(text, values) {
      const db = boss.getDb() as SqlDatabase & { readonly opened?: boolean };
      // pg-boss 10 would resolve to undefined, and pg-boss 12 tell the caller to start it.
      if (db.opened === false)
        throw Object.assign(new Error("pg-boss has stopped"), { code: "ECONNABORTED" });
      return db.executeSql(text, values);
    },
  };
}

/**
 * Runs a statement on the engine's own connections or in the caller's transaction. Resolves to its rows.
 *
 * @throws (rejects with) Error with PostgreSQL's message and code, and without the values of the statement, which may be payloads.
 * TypeError if a caller's `db` does not resolve to rows.
 */
export async function runSql(db: SqlDatabase, text: string, values: readonly unknown[]): Promise<Row[]> {
  let answer: { readonly rows: Row[] };
  await yieldToEventLoop();
  try {
    answer = await db.executeSql(text, [...values]);
  } catch (error) {
    throw withoutValues(error, text);
  }
  if (!Array.isArray(answer?.rows)) {
    throw new TypeError("expected `db.executeSql` to resolve to an object with the array `rows`");
  }
  return answer.rows;
}

/**
 * Removes the values of a statement from its error. PostgreSQL quotes them in `detail` and `where`, and query builders in their
 * messages.
 */
function withoutValues(thrown: unknown, text?: string): unknown {
  const chain = [...causes(thrown)];
  const quotesStatement = ({ message }: Thrown): boolean =>
    text !== undefined && String(message).includes(text.trim().slice(0, 20));
  const found = chain.find(({ severity }) => severity !== undefined) ?? chain.at(-1);
  if (found === undefined || (found.severity === undefined && !chain.some(quotesStatement))) return thrown;
  const { message, name, code, constraint, table } = found;
  // Knex puts the statement with its values before PostgreSQL's message.
  const ownMessage = quotesStatement(found)
    ? / - (?!.* - )(.*)$/s.exec(String(message))?.[1]
    : String(message);
  return Object.assign(new Error(ownMessage ?? "the statement failed"), {
    ...(typeof name === "string" && { name }),
    ...(code !== undefined && { code }),
    ...(constraint !== undefined && { constraint }),
    ...(table !== undefined && { table }),
  });
}

type Thrown = Record<string, unknown>;

/** Walks from an error to the driver's. Drizzle (`cause`) and TypeORM (`driverError`) wrap it in their own. */
function* causes(thrown: unknown): Iterable<Thrown> {
  let error = thrown as Thrown | undefined;
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    yield error;
    error = (error.driverError ?? error.cause) as Thrown | undefined;
  }
}
