import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Package, publishedPackages, root } from "./repository.ts";

/** Files that name every published package. */
const filesOfPackages: readonly string[] = [
  "README.md",
  "ARCHITECTURE.md",
  "tools/checks/src/dependency-direction.ts",
  "tools/bench/src/rows/packages.ts",
];

/** Files that name every engine. */
const filesOfEngines: readonly string[] = [
  "packages/jobs-durable/README.md",
  "apps/docs/choosing-an-engine.md",
  "tests/observation/test/same-observation.test.ts",
  "tests/observation/test/untraced-bookkeeping.test.ts",
  "tests/crash/src/open-engine.ts",
];

/** Declares the metrics of runs and jobs. */
const metricsTable = "packages/jobs-prometheus/src/exposition/metrics.ts";

/** Files that name every metric of `metricsTable`. */
const filesOfMetrics: readonly string[] = ["packages/jobs-prometheus/README.md"];

/** Finds packages, engines and metrics that a file should name and does not. */
export function checkNamedEverywhere(checkout: string = root): string[] {
  const packages = publishedPackages(checkout);
  const engines = packages.filter(isEngine);
  const read = (path: string): string => readFileSync(join(checkout, path), "utf8");
  const metrics = [...read(metricsTable).matchAll(/^ {4}name: "(\w+)",$/gm)].map(
    ([, name]) => `nidus_${name}`,
  );
  return [
    ...missing("package", packages.map(nameOf), filesOfPackages, read),
    ...missing("engine", engines.map(nameOf), filesOfEngines, read),
    ...missing("metric", metrics, filesOfMetrics, read),
  ];
}

/** The name without its scope. */
function nameOf({ folder }: Package): string {
  return basename(folder);
}

/** Tells whether a package is an engine: its sources have a backend, and it does not define the interface. */
function isEngine({ folder }: Package): boolean {
  const files = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return basename(folder) !== "jobs-durable" && files.some((file) => file.endsWith("-backend.ts"));
}

function missing(
  kind: string,
  names: readonly string[],
  files: readonly string[],
  read: (path: string) => string,
): string[] {
  return files.flatMap((file) => {
    const text = read(file);
    const absent = names.filter((name) => !new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text));
    return absent.map((name) => `${file} does not name the ${kind} ${name}`);
  });
}
