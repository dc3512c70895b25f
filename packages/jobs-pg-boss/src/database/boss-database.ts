import type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";

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
