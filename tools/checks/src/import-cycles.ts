import { dirname, join, normalize, relative } from "node:path";
import { importsOf, publishedPackages, sourceFiles } from "./repository.ts";

/** Finds import cycles among the files of each package's `src`, types included. Returns one line per cycle, with its files in order. */
export function checkImportCycles(folders: readonly string[] = sourceFolders()): string[] {
  return folders.flatMap((folder) =>
    cyclesIn(folder).map((cycle) => {
      const files = cycle.map((file) => relative(dirname(folder), file));
      return `import cycle in ${relative(dirname(dirname(folder)), folder)}: ${files.join(" → ")}`;
    }),
  );
}

function sourceFolders(): string[] {
  return publishedPackages().map(({ folder }) => join(folder, "src"));
}

/** Lists the cycles that a depth-first walk meets: at least one if any exists. Each begins and ends with the same file. */
function cyclesIn(folder: string): string[][] {
  const files = new Set(sourceFiles(folder));
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
    if (path.includes(file) || done.has(file)) return;
    path.push(file);
    for (const next of localImportsOf(file)) if (files.has(next)) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of files) visit(file);
  return cycles;
}

function localImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => normalize(join(dirname(file), specifier)));
}
