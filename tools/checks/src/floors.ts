import { dirname, join, normalize, relative, sep } from "node:path";
import { importsOf, root, sourceFiles } from "./repository.ts";

/** The folders of `src` that stand on each other, lowest first: each uses only those below it. */
const floors: Readonly<Record<string, readonly string[]>> = {
  "jobs-durable": ["errors", "job", "schedule", "backend", "execution", "engine", "memory"],
  "jobs-bullmq": ["bullmq-internals", "connection", "store", "worker", "observe"],
};

/** Finds imports from a floor above, and folders that are no floor. */
export function checkFloors(
  packages: string = join(root, "packages"),
  table: typeof floors = floors,
): string[] {
  return Object.entries(table).flatMap(([name, order]) => {
    const source = join(packages, name, "src");
    return sourceFiles(source).flatMap((file) => {
      const own = floorOf(source, file);
      if (own === undefined) return [];
      if (!order.includes(own)) return [`${name}: ${own} is not among the floors`];
      return importsOf(file)
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => floorOf(source, normalize(join(dirname(file), specifier))))
        .filter((used) => used === undefined || order.indexOf(used) > order.indexOf(own))
        .map(
          (used) => `${name}: ${relative(source, file)} uses ${used ?? "an entry point"}, which is above it`,
        );
    });
  });
}

/** Finds the folder below `src` that contains a file. Undefined for an entry point. */
function floorOf(source: string, file: string): string | undefined {
  const parts = relative(source, file).split(sep);
  return parts.length > 1 ? parts[0] : undefined;
}
