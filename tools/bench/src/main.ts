import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chartOf } from "./chart.ts";
import type { Comparison, Measured, Reading } from "./comparison.ts";
import { measureRounds, type Round, summaryOf } from "./harness.ts";
import { changesOf, markdownOf } from "./markdown.ts";
import { keptResults, resultsOf, writeChart, writeResults } from "./results.ts";
import { asyncRunComparisons } from "./rows/async-runs.ts";
import { engineReadings } from "./rows/engines.ts";
import { enqueueReadings } from "./rows/enqueue.ts";
import { eventLoopReadings } from "./rows/event-loop.ts";
import { memoryReadings } from "./rows/memory.ts";
import { otelComparisons } from "./rows/otel.ts";
import { packageReadings } from "./rows/packages.ts";
import { pageComparisons } from "./rows/page.ts";
import { pageLoadReadings } from "./rows/page-load.ts";
import { pickUpReadings } from "./rows/pick-up.ts";
import { queueComparisons } from "./rows/queues.ts";
import { runComparisons } from "./rows/runs.ts";
import { scrapeComparisons } from "./rows/scrape.ts";
import { severalNamesReadings } from "./rows/several-names.ts";

const help = `pnpm bench [--compare] [--only TEXT]
pnpm bench growth [--stores NAMES] [--jobs NUMBERS] [--names NUMBERS]

  --compare    leave the kept figures as they are, and say what moved beyond the noise
  --only TEXT  only comparisons, and groups of readings of engines, whose id contains TEXT; nothing is written

growth fills stores, of pg-boss-10,pg-boss-12,bullmq with 10000,100000,1000000 jobs of 1,20,200 names, and measures what each call costs them.
It takes up to an hour, and replaces the kept figures of those stores.
`;

const isOfGrowth = process.argv[2] === "growth";

const { values } = parseArgs({
  args: process.argv.slice(isOfGrowth ? process.argv.length : 2),
  options: {
    compare: { type: "boolean", default: false },
    only: { type: "string" },
    one: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const effort = { rounds: 5, cpuMs: 40 };
const processes = 3;
/** The number of observed runs for the reading of the heap. */
const heapRuns = 50_000_000;

const comparisons: readonly Comparison[] = [
  ...runComparisons,
  ...asyncRunComparisons,
  ...queueComparisons,
  ...scrapeComparisons,
  ...otelComparisons,
  ...pageComparisons,
];

/** The readings that need a process of their own each, for the reason below. */
const readingsApart: Readonly<Record<string, () => Promise<Reading[]>>> = {
  "pick-up": pickUpReadings,
  engines: engineReadings,
  enqueue: enqueueReadings,
  names: severalNamesReadings,
  "page-load": pageLoadReadings,
};

/**
 * Measures each comparison in processes of its own. The optimisations of one comparison must not affect the next, and they differ from
 * process to process.
 */
function measureApart(comparison: Comparison): Measured {
  const args = ["--expose-gc", fileURLToPath(import.meta.url), "--one", comparison.id];
  const rounds = Array.from(
    { length: processes },
    () => JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Round[],
  );
  return summaryOf(comparison, rounds.flat());
}

async function measureOne(id: string): Promise<void> {
  const read = readingsApart[id];
  if (read !== undefined) return void process.stdout.write(JSON.stringify(await read()));
  const comparison = comparisons.find((each) => each.id === id);
  if (comparison === undefined) throw new Error(`there is no comparison ${id}`);
  process.stdout.write(JSON.stringify(await measureRounds(comparison, effort)));
}

function measureAll(): Measured[] {
  return comparisons
    .filter(({ id }) => values.only === undefined || id.includes(values.only))
    .map((comparison) => {
      const row = measureApart(comparison);
      const flag = row.isMet === false ? "MISSED " : "";
      console.log(`${row.ratio.median.toFixed(2).padStart(7)}  ${flag}${row.title}`);
      return row;
    });
}

function readApart(id: string): Reading[] {
  const args = ["--expose-gc", fileURLToPath(import.meta.url), "--one", id];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Reading[];
}

async function readAll(): Promise<Reading[]> {
  const { only } = values;
  const apart = Object.keys(readingsApart).filter((id) => only === undefined || id.includes(only));
  const readings =
    only === undefined
      ? [...(await eventLoopReadings()), ...(await memoryReadings(heapRuns)), ...(await packageReadings())]
      : [];
  for (const id of apart) readings.push(...readApart(id));
  for (const { value, unit, title, note } of readings)
    console.log(`${value.toFixed(2).padStart(9)} ${unit}  ${title}${note === undefined ? "" : ` (${note})`}`);
  return readings;
}

async function measureAndWrite(): Promise<void> {
  const measured = measureAll();
  const readings = await readAll();
  if (values.only !== undefined) return;
  const results = resultsOf(measured, readings);
  const kept = keptResults();
  if (!values.compare) {
    writeChart(chartOf(results));
    console.log(`written to ${writeResults(results, markdownOf(results))}`);
  } else {
    console.log(
      kept === undefined ? "there are no kept figures for this version of Node" : changesOf(kept, results),
    );
  }
}

if (isOfGrowth) {
  const { growth } = await import("./growth/growth.ts");
  await growth(process.argv.slice(3));
} else if (values.help) process.stdout.write(help);
else if (values.one !== undefined) await measureOne(values.one);
else await measureAndWrite();
