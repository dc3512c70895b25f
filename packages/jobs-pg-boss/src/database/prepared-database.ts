import { createHash } from "node:crypto";
import type { SqlDatabase } from "./pg-boss-like.ts";

/** PostgreSQL's codes for a prepared statement that a connection does not have, and for a name that it has already. */
const otherConnectionCodes = new Set(["26000", "42P05"]);

/**
 * Makes a database that prepares statements on pg-boss's own pool, so that each of its connections parses and plans them once. Give it only
 * statements that stay fast with the plan of an empty table, such as inserts.
 *
 * Behind a pooler of transactions, a statement may reach a connection that has not prepared it. PostgreSQL refuses that before anything is
 * done. From then on, statements run unprepared.
 */
export function preparedDatabase(db: SqlDatabase): SqlDatabase {
  const names = new Map<string, string>();
  let isPooled = false;
  /** pg-boss passes the text to pg, which also takes a text with its name. */
  const named = (text: string): string => {
    const name = names.get(text) ?? nameOf(text);
    names.set(text, name);
    return { name, text } as unknown as string;
  };
  return {
    async executeSql(text, values) {
      if (isPooled) return db.executeSql(text, values);
      try {
        return await db.executeSql(named(text), values);
      } catch (error) {
        if (!otherConnectionCodes.has((error as { code?: string }).code ?? "")) throw error;
        isPooled = true;
        return db.executeSql(text, values);
      }
    },
  };
}

/** Names a statement by its text: poolers share connections, on which one name must not stand for two texts. */
function nameOf(text: string): string {
  return `nidus_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}
