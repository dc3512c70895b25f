import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Packages are tested as their sources, which they export under this condition.
const conditions = ["@nidus/source"];

/** What a test has in it that starts servers or programs, opens an embedded database, or takes an engine or observer to its limits. */
const slow = /"test-servers"|dataDir|Contract|failuresOf|"node:child_process"/;

const unit = readdirSync("packages")
  .flatMap((name) =>
    readdirSync(`packages/${name}/test`, { recursive: true }).map((file) => `packages/${name}/test/${file}`),
  )
  .filter((path) => path.endsWith(".test.ts") && !slow.test(readFileSync(path, "utf8")));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // The fast loop is one of them: `--project unit`.
    projects: [
      { extends: true, test: { name: "unit", include: unit } },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["packages/*/test/**/*.test.ts", "{apps,tools,tests}/*/test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...unit],
        },
      },
    ],
    // Bounds on what never comes, and no statement on speed: a machine may do much else.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    // Tests of engines wait for clocks and servers more than they compute.
    maxConcurrency: 16,
    maxWorkers: 3,
    // Where a machine wants to count: a report beside what people read.
    reporters: process.env.NIDUS_TEST_REPORT
      ? ["default", ["json", { outputFile: process.env.NIDUS_TEST_REPORT }]]
      : ["default"],
  },
});
