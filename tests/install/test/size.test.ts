import { gzipSync } from "node:zlib";
import { root } from "checks";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

/** Returns the bytes of exports, minified and gzipped. */
async function sizeOf(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: `${root}/tests/install` },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@nidus/source"],
  });
  return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}

describe("jobs-core and jobs-observe, minified and gzipped", () => {
  it("stay below 5 kB together, without the channel", async () => {
    const observe = [
      "combineJobObservers",
      "currentJob",
      "currentJobObserver",
      "ObservedJobRunner",
      "reportProgress",
      "startedContext",
    ];
    const bytes = await sizeOf(
      `export * from "@nidus/jobs-core"; export { ${observe.join(", ")} } from "@nidus/jobs-observe";`,
    );
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(5_000);
  });

  it("stay below 5.22 kB with all exports", async () => {
    const bytes = await sizeOf('export * from "@nidus/jobs-core"; export * from "@nidus/jobs-observe";');
    expect(bytes).toBeLessThan(5_220);
  });

  it("stay below 3.96 kB for a queue and a runner", async () => {
    const bytes = await sizeOf(
      'export { JobQueue } from "@nidus/jobs-core"; export { ObservedJobRunner } from "@nidus/jobs-observe";',
    );
    expect(bytes).toBeLessThan(3_960);
  });
});
