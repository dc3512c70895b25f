import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measured, Reading } from "./comparison.ts";

/** All figures of one run of the benchmarks. */
export interface Results {
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly command: string;
  readonly comparisons: readonly Measured[];
  readonly readings: readonly Reading[];
}

const folder = fileURLToPath(new URL("../results", import.meta.url));

export function resultsOf(comparisons: readonly Measured[], readings: readonly Reading[]): Results {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    machine: `${cpus().length} x ${first?.model.trim() || "unknown processor"}, ${process.platform} ${process.arch}`,
    command: "pnpm bench",
    comparisons,
    readings,
  };
}

/** Finds the file of figures for one major version of Node. */
function pathOf(extension: string): string {
  return join(folder, `node-${process.versions.node.split(".")[0]}.${extension}`);
}

export function writeResults(results: Results, markdown: string): string {
  writeFileSync(pathOf("json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(pathOf("md"), markdown);
  return pathOf("json");
}

export function writeChart(svg: string): void {
  writeFileSync(pathOf("svg"), svg);
}

/** Reads the kept figures for this major version of Node. Undefined if there are none. */
export function keptResults(): Results | undefined {
  try {
    return JSON.parse(readFileSync(pathOf("json"), "utf8")) as Results;
  } catch {
    return undefined;
  }
}
