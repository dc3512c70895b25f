import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bundledBytes } from "checks";
import type { Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";

const packages = [
  "jobs-core",
  "jobs-observe",
  "jobs-observe/diagnostics-channel",
  "jobs-prometheus",
  "jobs-otel",
  "jobs-otel/sdk",
  "jobs-pino",
  "jobs-dashboard",
  "observability",
  "jobs-durable",
  "jobs-pg-boss",
  "jobs-bullmq",
  "jobs-testkit",
];
const folder = fileURLToPath(new URL("../..", import.meta.url));

/** Measures an import in a new process that imports nothing else: the median of several. */
function importMs(specifier: string): number {
  const code = `const t = performance.now(); await import(${JSON.stringify(specifier)}); console.log(performance.now() - t);`;
  const times = Array.from({ length: 9 }, () =>
    Number(
      execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: folder, encoding: "utf8" }),
    ),
  );
  return spreadOf(times).median;
}

/** Measures the size of exports, with the packages of Nidus below them and without the wrapped libraries. */
const bundleBytes = (contents: string): Promise<number> =>
  bundledBytes(contents, folder, {
    external: ["prom-client", "@opentelemetry/*", "pino", "pg-boss", "@electric-sql/pglite", "bullmq"],
  });

export async function packageReadings(): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const name of packages) {
    const specifier = `@nidus/${name}`;
    readings.push(
      {
        id: `bundle-${name}`,
        title: `bundle of ${specifier} and what it needs of Nidus, minified and gzipped`,
        unit: "bytes",
        value: await bundleBytes(`export * from "${specifier}";`),
        asked: undefined,
      },
      {
        id: `import-${name}`,
        title: `import of ${specifier}, with the libraries that it wraps`,
        unit: "ms",
        value: importMs(specifier),
        asked: undefined,
      },
    );
  }
  readings.push(
    {
      id: "bundle-core-and-observe",
      title: "bundle of jobs-core and jobs-observe together, minified and gzipped",
      unit: "bytes",
      value: await bundleBytes('export * from "@nidus/jobs-core"; export * from "@nidus/jobs-observe";'),
      asked: { atMost: 5_000 },
    },
    {
      id: "bundle-queue-and-runner",
      title: "bundle of JobQueue and ObservedJobRunner, minified and gzipped",
      unit: "bytes",
      value: await bundleBytes(
        'export { JobQueue } from "@nidus/jobs-core"; export { ObservedJobRunner } from "@nidus/jobs-observe";',
      ),
      asked: { atMost: 3_000 },
    },
  );
  return readings;
}
