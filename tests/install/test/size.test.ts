import { bundledBytes, root } from "checks";
import { describe, expect, it } from "vitest";

/** Returns the bytes of exports, minified and gzipped. */
const sizeOf = (contents: string): Promise<number> =>
  bundledBytes(contents, `${root}/tests/install`, { conditions: ["@nidus/source"] });

describe("jobs-core and jobs-observe, minified and gzipped", () => {
  it("stay below 4.76 kB together, without the channel", async () => {
    const observe = [
      "combineJobObservers",
      "currentJob",
      "currentJobObserver",
      "ObservedJobRunner",
      "reportProgress",
    ];
    const bytes = await sizeOf(
      `export * from "@nidus/jobs-core"; export { ${observe.join(", ")} } from "@nidus/jobs-observe";`,
    );
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(4_760);
  });

  it("stay below 5.11 kB with all exports", async () => {
    const bytes = await sizeOf('export * from "@nidus/jobs-core"; export * from "@nidus/jobs-observe";');
    expect(bytes).toBeLessThan(5_113);
  });

  it("stay below 3.89 kB for a queue and a runner", async () => {
    const bytes = await sizeOf(
      'export { JobQueue } from "@nidus/jobs-core"; export { ObservedJobRunner } from "@nidus/jobs-observe";',
    );
    expect(bytes).toBeLessThan(3_885);
  });
});
