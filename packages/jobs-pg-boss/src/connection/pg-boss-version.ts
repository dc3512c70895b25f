import type { PgBossLike } from "../database/pg-boss-like.ts";

/** The majors of pg-boss whose tables the engine knows. */
export type PgBossMajor = 10 | 12;

const needed =
  "the engine needs pg-boss >=10.4.2 <11 or >=12.35.0 <13, since it reads and writes the tables of these versions";

/** The first schema version of the oldest pg-boss 12 that the engine knows. */
const oldestSchema12 = 43;

/**
 * Finds the major of a pg-boss by its methods, since no pg-boss tells its version.
 *
 * @throws Error if the engine does not know the tables of this version.
 */
export function requireMajor(boss: PgBossLike): PgBossMajor {
  if ("touch" in boss) return 12;
  if ("purgeQueue" in boss && "retry" in boss) return 10;
  const found = !("createQueue" in boss)
    ? "9 or older"
    : "purgeQueue" in boss
      ? "10.0 or 10.1"
      : "11, or an early 12";
  throw versionError(`${needed}, got ${found}`);
}

/**
 * Checks that the tables of a schema, if there are any, are those of a major. Resolves to their schema version.
 *
 * @throws (rejects with) Error that tells the way out if they are not.
 */
export async function requireTablesFor(
  boss: PgBossLike,
  schema: string,
  major: PgBossMajor,
): Promise<number | undefined> {
  const stored = await schemaVersion(boss, schema);
  if (stored === undefined) return undefined;
  const isUsable = major === 12 ? stored >= 25 : stored >= 21 && stored <= 24;
  if (!isUsable) {
    const owner = ownerOf(stored);
    throw versionError(
      `the schema "${schema}" has the tables of pg-boss ${owner} (schema version ${stored}), which pg-boss ${major} cannot use: ` +
        "give the engine another `schema`, and let workers on the old schema finish its jobs " +
        `with pg-boss ${owner}, installed beside this one as \`pg-boss-${owner}@npm:pg-boss@${owner}\``,
    );
  }
  return stored;
}

/**
 * Checks the tables of a pg-boss that has started.
 *
 * @throws (rejects with) Error that tells the way out if there are none, or if they are those of another version.
 */
export async function requireStarted(boss: PgBossLike, schema: string, major: PgBossMajor): Promise<void> {
  const stored = await requireTablesFor(boss, schema, major);
  if (stored === undefined) {
    throw versionError(
      `the schema "${schema}" has no tables of pg-boss: start your PgBoss first, or an engine with \`upkeep\`, and pass its schema as \`schema\``,
    );
  }
  if (major === 12 && stored < oldestSchema12)
    throw versionError(`${needed}, got a version older than 12.35.0`);
}

/** Finds the major that made a schema. 11 and 12 share schema version 26, and 12 migrates the tables of 11. */
function ownerOf(schemaVersion: number): number {
  if (schemaVersion <= 20) return 9;
  if (schemaVersion <= 24) return 10;
  return schemaVersion === 25 ? 11 : 12;
}

async function schemaVersion(boss: PgBossLike, schema: string): Promise<number | undefined> {
  const db = boss.getDb();
  // pg-boss 10 resolves to undefined before it has started.
  const [table] = (await db.executeSql(`SELECT to_regclass('${schema}.version') AS name`))?.rows ?? [];
  if (!table?.name) return undefined;
  const { rows } = await db.executeSql(`SELECT version FROM ${schema}.version`);
  return rows.length === 0 ? undefined : Number(rows[0].version);
}

function versionError(message: string): Error {
  return Object.assign(new Error(message), { code: "NIDUS_PG_BOSS_VERSION" });
}
