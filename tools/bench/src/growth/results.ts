import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Grown } from "./growth.ts";
import type { Cost } from "./measure.ts";

const folder = fileURLToPath(new URL("../../results", import.meta.url));
const path = join(folder, "growth.json");

/** The figures of one store, with when and where they were made. */
interface KeptGrown extends Grown {
  readonly date: string;
  readonly node: string;
  readonly machine: string;
}

/** Writes the figures of one store beside those that are kept, in place of older ones of the same size. */
export function writeGrown(grown: Grown): void {
  const now = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() || "unknown processor"}, ${process.platform} ${process.arch}`,
  };
  const others = kept().filter((each) => keyOf(each) !== keyOf(grown));
  const all = [...others, { ...grown, ...now }].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  writeFileSync(path, `${JSON.stringify(all, undefined, 2)}\n`);
  writeFileSync(join(folder, "growth.md"), markdownOf(all));
}

function kept(): KeptGrown[] {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as KeptGrown[];
  } catch {
    return [];
  }
}

function keyOf({ store, names, jobs }: Grown): string {
  return `${store} ${String(names).padStart(6)} ${String(jobs).padStart(9)}`;
}

/** Writes a table for each store, with a column for each size. */
function markdownOf(all: readonly KeptGrown[]): string {
  const stores = [...new Set(all.map(({ store }) => store))];
  return stores.map((store) => tableOf(all.filter((each) => each.store === store))).join("\n");
}

function tableOf(sizes: readonly KeptGrown[]): string {
  const titles = [...new Set(sizes.flatMap(({ costs }) => costs.map(({ title }) => title)))];
  const rows = titles.map((title) => [
    title,
    ...sizes.map(({ costs }) => cell(costs.find((each) => each.title === title))),
  ]);
  const heads = ["", ...sizes.map(({ jobs, names }) => `${jobs.toLocaleString("en")} jobs, ${names} names`)];
  const made = [...new Set(sizes.map(({ date, node, machine }) => `${date}, Node ${node}, ${machine}`))];
  return [
    `## ${sizes[0]?.store}\n`,
    `Made ${made.join("; ")}.\n`,
    ...[heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

/** Shows milliseconds of the store, then of the call, then what was sent. JSON has null for a figure that there is not. */
function cell(cost: Cost | undefined): string {
  if (cost === undefined) return "";
  const { storeMs, callMs, requests } = cost;
  const numbers = [storeMs, callMs].flatMap((each) => (Number.isFinite(each) ? [rounded(each)] : []));
  return `${numbers.join(" / ")}${requests === undefined ? "" : ` (${rounded(requests)})`}`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(2)));
}
