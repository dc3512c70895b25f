import { readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Debian puts the programs of a PostgreSQL server: beside the PATH, a folder per version. */
const debianFolder = "/usr/lib/postgresql";

/** The path of a program, or undefined where it is not installed. */
export function findCommand(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...folders, ...debianFolders()].map((folder) => join(folder, name)).find(isFile);
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
