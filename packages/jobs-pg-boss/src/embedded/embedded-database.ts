import { giveTurnIfDue } from "../event-loop-turn.ts";
import { wordsOf } from "../out-of-reach.ts";
import type { SqlDatabase } from "../pg-boss-like.ts";
import { databaseFolder } from "./database-folder.ts";
import { lockFolder } from "./folder-lock.ts";

/** A PostgreSQL within this process, in a folder that it has to itself. */
export interface EmbeddedDatabase extends SqlDatabase {
  close(): Promise<void>;
}

/**
 * Opens PGlite in a folder, and makes the folder unless it exists.
 *
 * @throws (rejects with) FolderInUseError if another process has the folder; Error if PGlite is not installed, or cannot open what
 * the folder holds.
 */
export async function openEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  const PGlite = await loadPGlite();
  const unlock = await lockFolder(folder);
  try {
    const path = await databaseFolder(folder, async (made) => (await PGlite.create(made)).close());
    return serve(await PGlite.create(path), unlock);
  } catch (error) {
    await unlock();
    const isOwn = error instanceof Error && "code" in error;
    throw isOwn ? error : new Error(`PGlite cannot open ${folder} (${wordsOf(error)})`, { cause: error });
  }
}

type PGlite = import("@electric-sql/pglite").PGlite;

/** Inside a `try`, so that bundlers take the package for an optional one. */
async function loadPGlite(): Promise<typeof import("@electric-sql/pglite").PGlite> {
  try {
    return (await import("@electric-sql/pglite")).PGlite;
  } catch (error) {
    throw new Error(
      `\`dataDir\` needs the package @electric-sql/pglite: npm install @electric-sql/pglite@0.5 (${wordsOf(error)})`,
      { cause: error },
    );
  }
}

function serve(pglite: PGlite, unlock: () => Promise<void>): EmbeddedDatabase {
  let last: Promise<unknown> = Promise.resolve();
  const run = async (text: string, values: unknown[] = []): ReturnType<SqlDatabase["executeSql"]> => {
    await giveTurnIfDue();
    if (values.length > 0) return pglite.query(text, values);
    try {
      // Several statements in one text: their rows one after the other.
      return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
    } catch (error) {
      // There is one connection: a transaction that failed half-way would swallow all that comes after it.
      await pglite.exec("ROLLBACK");
      throw error;
    }
  };
  return {
    executeSql(text, values) {
      // One at a time, so that a turn comes between the statements of callers that do not wait for each other.
      const answer = last.then(() => run(text, values));
      last = answer.catch(() => {
        // The caller hears of it.
      });
      return answer;
    },
    async close() {
      await last;
      try {
        await pglite.close();
      } finally {
        await unlock();
      }
    },
  };
}
