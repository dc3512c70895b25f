import { join } from "node:path";
import { importsOf, type Package, packageOf, publishedPackages, sourceFiles } from "./repository.ts";

/** The packages that each package may import. Every other arrow runs back. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "@nidus/jobs-core": [],
  "@nidus/jobs-observe": ["@nidus/jobs-core"],
  "@nidus/jobs-prometheus": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/jobs-otel": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/jobs-pino": ["@nidus/jobs-core", "@nidus/jobs-observe"],
  "@nidus/jobs-dashboard": ["@nidus/jobs-core", "@nidus/jobs-observe"],
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

/** Finds dependencies that run back, and imports that are not declared. */
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
        .filter((dependency) => !declared.includes(dependency) && !bundled[name]?.includes(dependency))
        .map((dependency) => `${name} imports ${dependency} and does not declare it`),
      ...declared
        .filter((dependency) => !imported.includes(dependency) && !forOthers[name]?.includes(dependency))
        .map((dependency) => `${name} declares ${dependency} and does not import it`),
    ];
  });
}

/**
 * Peers that are declared and not imported. The facade passes on the peers of the packages below it, because its users install them.
 * jobs-pino knows pino by an interface alone, and declares the range that is tested.
 */
const forOthers: Readonly<Record<string, readonly string[]>> = {
  "@nidus/observability": ["prom-client", "@opentelemetry/api"],
  "@nidus/jobs-pino": ["pino"],
};

/** Packages whose code is part of the built package, so that users do not install them. */
const bundled: Readonly<Record<string, readonly string[]>> = { "@nidus/jobs-dashboard": ["preact"] };

function importedPackages({ folder }: Package): string[] {
  const specifiers = sourceFiles(join(folder, "src")).flatMap(importsOf);
  const packages = specifiers
    .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
    .map(packageOf);
  return [...new Set(packages)];
}
