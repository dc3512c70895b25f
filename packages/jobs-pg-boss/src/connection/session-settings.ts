import { isDate } from "node:util/types";
import type { PgBossLike } from "../database/pg-boss-like.ts";

const question = `SELECT now() AS moment, 1::int AS count, true AS flag, '{"n":1}'::jsonb AS data,
  current_setting('DateStyle') AS date_style, current_setting('default_transaction_isolation') AS isolation`;

/**
 * Checks that a connection answers in a form that the engine reads, and that a statement of the engine sees what others have committed
 * before it.
 *
 * @throws (rejects with) Error that tells the way out.
 */
export async function requireSettings(boss: PgBossLike): Promise<void> {
  const [row] = (await boss.getDb().executeSql(question)).rows;
  const { moment, count, flag, data, date_style, isolation } = row ?? {};
  if (isolation !== "read committed") {
    throw wrongSetting("default_transaction_isolation", "read committed", isolation);
  }
  if (!String(date_style).startsWith("ISO")) throw wrongSetting("DateStyle", "ISO", date_style);
  if (!isDate(moment) || count !== 1 || flag !== true || data?.n !== 1) {
    throw settingsError(
      "expected the connections of your PgBoss to read timestamps as Dates, integers as numbers, booleans and JSON as their values: " +
        "the application has changed the parsers of `pg` with `types.setTypeParser`. Pass `connectionString` to the engine, " +
        "whose connections do not use them, or give your PgBoss a `db` of its own",
    );
  }
}

function wrongSetting(name: string, expected: string, got: unknown): Error {
  const option = encodeURIComponent(`-c ${name}=${expected.replace(" ", "\\ ")}`);
  return settingsError(
    `expected PostgreSQL's setting ${name} to be "${expected}", got "${got}": ` +
      `add "options=${option}" to the query of the connection string, or set it for the user with ALTER ROLE`,
  );
}

function settingsError(message: string): Error {
  return Object.assign(new Error(message), { code: "NIDUS_POSTGRESQL_SETTINGS" });
}
