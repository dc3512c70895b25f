import { join } from "node:path";
import { importsOf, type Package, packageOf, publishedPackages, sourceFiles } from "./repository.ts";

/** Which of our packages each may know. An arrow that is not here runs back. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "@nidus/jobs-core": [],
  "@nidus/jobs-observe": ["@nidus/jobs-core"],
  "@nidus/jobs-prometheus": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/jobs-otel": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/jobs-pino": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/observability": [
    "@nidus/jobs-core",
    "@nidus/jobs-observe",
    "@nidus/jobs-otel",
    "@nidus/jobs-prometheus",
  ],
  "@nidus/jobs-durable": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/jobs-pg-boss": ["@nidus/jobs-core", "@nidus/jobs-durable", "@nidus/jobs-observe"],
  "@nidus/jobs-bullmq": ["@nidus/jobs-core", "@nidus/jobs-durable", "@nidus/jobs-observe"],
  "@nidus/jobs-testkit": ["@nidus/jobs-core", "@nidus/jobs-durable", "@nidus/jobs-observe"],
};

/** What is wrong with the direction of dependencies, and with what is imported but not declared. */
export function checkDependencyDirection(packages: readonly Package[] = publishedPackages()): string[] {
  return packages.flatMap((each) => {
    const { name, dependencies, peerDependencies } = each.manifest;
    const known = allowed[name];
    if (known === undefined) return [`${name} is not in the table of allowed dependencies`];
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const imported = importedPackages(each);
    return [
      ...[...declared, ...imported]
        .filter((dependency) => dependency.startsWith("@nidus/") && !known.includes(dependency))
        .map((dependency) => `${name} must not know ${dependency}`),
      ...imported
        .filter((dependency) => !declared.includes(dependency))
        .map((dependency) => `${name} imports ${dependency} and does not declare it`),
      ...declared
        .filter((dependency) => !imported.includes(dependency) && !forOthers[name]?.includes(dependency))
        .map((dependency) => `${name} declares ${dependency} and does not import it`),
    ];
  });
}

/**
 * Peers that are declared and not imported. Those of the packages below the facade are its users' to install, so it passes
 * them on; pino is known by an interface alone, and declared for the range that is tested.
 */
const forOthers: Readonly<Record<string, readonly string[]>> = {
  "@nidus/observability": ["prom-client", "@opentelemetry/api"],
  "@nidus/jobs-pino": ["pino"],
};

function importedPackages({ folder }: Package): string[] {
  const specifiers = sourceFiles(join(folder, "src")).flatMap(importsOf);
  const packages = specifiers
    .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
    .map(packageOf);
  return [...new Set(packages)];
}
