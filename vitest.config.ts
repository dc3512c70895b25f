import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Packages are tested as their sources, which they export under this condition.
const conditions = ["@nidus/source"];

/**
 * Matches tests that start servers or programs, open an embedded database, take an engine or observer to its limits,
 * serve the jobs page, whose browser code is built, or measure what their process computes.
 */
const slow =
  /"test-servers"|describe-engines|dataDir|Contract|failuresOf|"node:child_process"|browser-assets|page-client|jobDashboard|computingMs/;

const unit = readdirSync("packages")
  .flatMap((name) =>
    readdirSync(`packages/${name}/test`, { recursive: true }).map((file) => `packages/${name}/test/${file}`),
  )
  .filter((path) => path.endsWith(".test.ts") && !slow.test(readFileSync(path, "utf8")));

/** Runs in a realm of its own, as with Jest and other runners. */
const otherRealm = "tests/observation/test/vm-threads.test.ts";

/** Prepares what all files of a run share: a place for temporary files, an archive, and a server. */
const shared = [
  "./tools/test-servers/src/files-of-run.ts",
  "./tools/test-servers/src/archives-of-run.ts",
  "./tools/test-servers/src/servers-of-run.ts",
];

/** Embedded databases are compiled once and fast: most are asked for less than it takes to optimise their code. */
const execArgv = ["--liftoff-only"];

/** Matches small files that run for long. Vitest starts large files first, and would leave these to the end, one at a time. */
const long =
  /(contract[\w-]*|example-\w+|examples|killed-\w+|deadly-jobs|linked-attempts|folder-lock|engines?|alerts|jest|next|schedules|bare-queues|listening|lost-answers|several-names|cleaner|fail-over|not-ready|page-in-browser|cli|demo|demo-failures|start|start-shutdown|rules|tarballs|broken-observers|api-reports|datadog|pick-up|publish)\.test\.ts$/;

/** Starts the tests that run longest first. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => long.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // `--project unit` is the fast loop.
    projects: [
      // A thread starts with less work than a process.
      { extends: true, test: { name: "unit", include: unit, pool: "threads" } },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["packages/*/test/**/*.test.ts", "tools/*/test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...unit],
          globalSetup: shared,
          execArgv,
        },
      },
      {
        extends: true,
        test: {
          // They start or pack what was built.
          name: "built",
          include: ["{apps,tests}/*/test/**/*.test.ts"],
          exclude: ["**/node_modules/**", otherRealm],
          globalSetup: ["./tests/build.ts", ...shared],
          execArgv,
        },
      },
      { extends: true, test: { name: "vmThreads", pool: "vmThreads", include: [otherRealm] } },
    ],
    // Limits for events that never come. They say nothing about speed, because the machine may be busy.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000, interval: 100 } },
    sequence: { sequencer: LongestFirst },
    // Tests of engines wait for clocks and servers more than they compute.
    maxConcurrency: 16,
    // Files wait for clocks, servers and other processes for more than half of their time.
    maxWorkers: 8,
    // Adds a report for programs beside the output for readers.
    reporters: process.env.NIDUS_TEST_REPORT
      ? ["default", ["json", { outputFile: process.env.NIDUS_TEST_REPORT }]]
      : ["default"],
  },
});
