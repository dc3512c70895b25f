import { defineConfig } from "vitest/config";

// Packages are tested as their sources, which they export under this condition.
const conditions = ["@nidus/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"],
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
