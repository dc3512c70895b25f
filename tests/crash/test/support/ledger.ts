import { readFile } from "node:fs/promises";
import { eventually } from "./eventually.ts";

/** Counts acknowledged jobs, and their runs in the logs of the workers. */
export interface Balance {
  readonly acknowledged: number;
  /** Acknowledged jobs that never ran. */
  readonly lost: number;
  /** Jobs that ran at least once. */
  readonly ran: number;
  /** Runs beyond the first of each job. */
  readonly duplicates: number;
  /** Results that the store refused, because another worker had the job by then. */
  readonly refusedResults: number;
  /** Jobs whose success was recorded more than once. */
  readonly recordedTwice: number;
}

/** Compares the acknowledged jobs with the jobs that ran. */
export async function balance(acknowledgedLog: string, workerLogs: readonly string[]): Promise<Balance> {
  const acknowledged = (await lines(acknowledgedLog)).filter((line) => line !== "");
  const workerLines = (await Promise.all(workerLogs.map(lines))).flat();
  const runs = countById("ran", workerLines);
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((id) => !runs.has(id)).length,
    ran: runs.size,
    duplicates: [...runs.values()].reduce((sum, times) => sum + times - 1, 0),
    refusedResults: workerLines.filter((line) => line.startsWith("lost ")).length,
    recordedTwice: [...countById("succeeded", workerLines).values()].filter((times) => times > 1).length,
  };
}

/** Waits until every acknowledged job has run, then prints the balance. If a job never runs, the balance counts it as lost. */
export async function drained(
  title: string,
  acknowledgedLog: string,
  workerLogs: readonly string[],
): Promise<Balance> {
  let last = await balance(acknowledgedLog, workerLogs);
  await eventually(
    async () => {
      last = await balance(acknowledgedLog, workerLogs);
      return last.lost === 0;
    },
    () => "not drained",
  ).catch(() => {});
  console.log(
    `${title}: ${last.acknowledged} acknowledged, ${last.lost} lost, ${last.duplicates} ran more than once`,
  );
  return last;
}

/** Counts a line in the log of a worker. */
export async function times(log: string, line: string): Promise<number> {
  return (await lines(log)).filter((each) => each === line).length;
}

/** Counts the lines that begin with `word`, by the id of their job. */
function countById(word: string, log: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of log) {
    const [first, id] = line.split(" ", 2);
    if (first === word && id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

async function lines(log: string): Promise<string[]> {
  return (await readFile(log, "utf8").catch(() => "")).split("\n");
}
