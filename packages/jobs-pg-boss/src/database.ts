import { giveTurnIfDue } from "./event-loop-turn.ts";
import type { SqlDatabase } from "./pg-boss-like.ts";

/** A row of a statement's answer. */
// biome-ignore lint/suspicious/noExplicitAny: rows have whatever columns the statement returns.
export type Row = Record<string, any>;

/**
 * Runs a statement, on the engine's own connections or in the caller's transaction.
 *
 * @throws (rejects with) an error that has PostgreSQL's words and code, without payloads: PostgreSQL and query builders put the
 * values of a statement into their errors. TypeError for a caller's `db` that does not answer with rows.
 */
export async function runSql(db: SqlDatabase, text: string, values: readonly unknown[]): Promise<Row[]> {
  let answer: { readonly rows: Row[] };
  await giveTurnIfDue();
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

/** Removes the values of a statement from what it failed with: `detail` and `where` quote them, and query builders their message. */
export function withoutValues(thrown: unknown, text?: string): unknown {
  const chain = [...causes(thrown)];
  const quotes = ({ message }: Thrown): boolean =>
    text !== undefined && String(message).includes(text.trim().slice(0, 20));
  const found = chain.find(({ severity }) => severity !== undefined) ?? chain.at(-1);
  if (found === undefined || (found.severity === undefined && !chain.some(quotes))) return thrown;
  const { message, name, code, constraint, table } = found;
  // Knex writes the statement with its values before the words of PostgreSQL.
  const words = quotes(found) ? / - (?!.* - )(.*)$/s.exec(String(message))?.[1] : String(message);
  return Object.assign(new Error(words ?? "the statement failed"), {
    ...(typeof name === "string" && { name }),
    ...(code !== undefined && { code }),
    ...(constraint !== undefined && { constraint }),
    ...(table !== undefined && { table }),
  });
}

type Thrown = Record<string, unknown>;

/** An error and those below it: Drizzle (`cause`) and TypeORM (`driverError`) put theirs around the driver's. */
function* causes(thrown: unknown): Iterable<Thrown> {
  let error = thrown as Thrown | undefined;
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    yield error;
    error = (error.driverError ?? error.cause) as Thrown | undefined;
  }
}
