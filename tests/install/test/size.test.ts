import { gzipSync } from "node:zlib";
import { root } from "checks";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

describe("jobs-core and jobs-observe", () => {
  it("stay below 5 kB together, minified and gzipped, with all exports", async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: 'export * from "@nidus/jobs-core"; export * from "@nidus/jobs-observe";',
        resolveDir: `${root}/tests/install`,
      },
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      conditions: ["@nidus/source"],
    });
    const bytes = gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(5_000);
  });
});
