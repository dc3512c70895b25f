import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { messageOf } from "../database/unreachable.ts";
import { yieldToEventLoop } from "../database/yield-to-event-loop.ts";
import { databaseFolder } from "./database-folder.ts";
import { lockFolder } from "./folder-lock.ts";

/** A PostgreSQL in this process, in a folder that no other process uses. */
export interface EmbeddedDatabase extends SqlDatabase {
  close(): Promise<void>;
}

/**
 * Opens PGlite in a folder, and creates the folder if it does not exist.
 *
 * @throws (rejects with) FolderInUseError if another process uses the folder; Error if PGlite is not installed, or cannot open the
 * folder's content.
 */
export async function openEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  const PGlite = await loadPGlite();
  const unlock = await lockFolder(folder);
  try {
    const path = await databaseFolder(folder, async (made) => (await PGlite.create(made)).close());
    return embeddedDatabase(await PGlite.create(path), unlock);
  } catch (error) {
    await unlock();
    const isOwn = error instanceof Error && "code" in error;
    throw isOwn ? error : new Error(`PGlite cannot open ${folder} (${messageOf(error)})`, { cause: error });
  }
}

type PGlite = import("@electric-sql/pglite").PGlite;

/** Imports PGlite inside a `try`, by which bundlers know that the package is optional. */
async function loadPGlite(): Promise<typeof import("@electric-sql/pglite").PGlite> {
  try {
    return (await import("@electric-sql/pglite")).PGlite;
  } catch (error) {
    throw new Error(
      `\`dataDir\` needs the package @electric-sql/pglite: npm install @electric-sql/pglite@0.5 (${messageOf(error)})`,
      { cause: error },
    );
  }
}

function embeddedDatabase(pglite: PGlite, unlock: () => Promise<void>): EmbeddedDatabase {
  let last: Promise<unknown> = Promise.resolve();
  const run = async (text: string, values: unknown[] = []): ReturnType<SqlDatabase["executeSql"]> => {
    await yieldToEventLoop();
    if (values.length > 0) return pglite.query(text, values);
    try {
      // The text may hold several statements: their rows are joined.
      return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
    } catch (error) {
      // All callers share one connection: a failed transaction would make every later statement fail.
      await pglite.exec("ROLLBACK");
      throw error;
    }
  };
  return {
    executeSql(text, values) {
      // One at a time, so that the event loop gets a turn between the statements of independent callers.
      const answer = last.then(() => run(text, values));
      last = answer.catch(() => {
        // The caller gets the error.
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
