import { readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { packagedPostgres } from "./packaged-postgres.ts";

/** Where Debian puts the programs of a PostgreSQL server: beside the PATH, a folder per version. */
const debianFolder = "/usr/lib/postgresql";

/** The path of a program: on the PATH, where Debian has it, or in a package of npm's. Undefined where it is in none of them. */
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
