import { archiveOfEmptyDatabase } from "./embedded-database.ts";

/**
 * Makes the archive of an empty embedded database, if there is none. Without it, each of the files that begin at once would make one, in
 * seconds of computing. Vitest calls this before the tests of each project.
 */
export default async function makeArchives(): Promise<void> {
  await archiveOfEmptyDatabase();
}
