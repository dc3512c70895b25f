import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledWorkspace, compileWorkspace } from "./support/compiled-workspace.ts";

let workspace: CompiledWorkspace;
beforeAll(async () => {
  workspace = await compileWorkspace();
});
afterAll(async () => {
  await workspace?.[Symbol.asyncDispose]();
});

/** Returns the OpenTelemetry packages that a process loads to run the script. They are CommonJS, even if imported. */
async function openTelemetryLoadedBy(script: string): Promise<string[]> {
  const output = await workspace.run(`
    import { createRequire } from "node:module";
    ${script}
    // After everything has settled: an import without an await counts, too.
    process.once("beforeExit", () => {
      process.stdout.write(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)));
    });
  `);
  const files = JSON.parse(output) as string[];
  const names = files.map((file) => /.*node_modules[\\/](@opentelemetry[\\/][^\\/]+)/.exec(file)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

test("a facade with metrics and spans loads OpenTelemetry's API, but not its SDK", async () => {
  const loaded = await openTelemetryLoadedBy(`
    import { production } from "@nidus/observability";
    const observability = production("x").prometheus().otel();
    observability.jobRunner().run({ name: "reindex", run() {} });
    await observability.metrics();
    await observability.forceFlush();
    await observability.shutdown();
  `);
  expect(loaded).toEqual(["@opentelemetry/api"]);
});

test("importing the pipeline's subpath loads the SDK, so the other test can detect it", async () => {
  const loaded = await openTelemetryLoadedBy(`
    import "@nidus/jobs-otel/sdk";
  `);
  expect(loaded).toEqual(
    expect.arrayContaining([
      "@opentelemetry/api",
      "@opentelemetry/exporter-trace-otlp-proto",
      "@opentelemetry/sdk-trace",
    ]),
  );
});
