import { readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { packagedPostgres } from "./packaged-postgres.ts";

/** Debian's folder for the programs of PostgreSQL, which are not on the PATH. It has a folder per version. */
const debianFolder = "/usr/lib/postgresql";

/** Finds a program on the PATH, in Debian's folder, or in an npm package. Undefined if it is missing. */
export function findCommand(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const installed = [...folders, ...debianFolders()].map((folder) => join(folder, name)).find(isFile);
  if (installed !== undefined) return installed;
  const packaged = packagedPostgres();
  return packaged === undefined ? undefined : [join(packaged, name)].find(isFile);
}

function debianFolders(): string[] {
  try {
    return readdirSync(debianFolder).map((version) => join(debianFolder, version, "bin"));
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
