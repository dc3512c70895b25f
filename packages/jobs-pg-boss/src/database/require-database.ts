import type { SqlDatabase } from "./pg-boss-like.ts";

/**
 * Checks a caller's `db`.
 *
 * @throws TypeError
 */
export function requireDatabase(db: unknown): void {
  if (typeof (db as Partial<SqlDatabase> | null)?.executeSql === "function") return;
  throw new TypeError("expected `db` to be an object with the function `executeSql(text, values)`");
}
