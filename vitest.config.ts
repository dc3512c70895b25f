import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@nidus/source"] },
  ssr: { resolve: { conditions: ["@nidus/source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"],
    testTimeout: 20_000,
  },
});
