import { readFile } from "node:fs/promises";
import { eventually } from "./eventually.ts";

/** The acknowledged jobs of a log, and how often each has run by the logs of the workers. */
export interface Balance {
  readonly acknowledged: number;
  /** Acknowledged, and never run. */
  readonly lost: number;
  /** Jobs that have run. */
  readonly ran: number;
  /** Runs beyond the first of each job. */
  readonly duplicates: number;
}

/** Compares what was acknowledged with what ran. */
export async function balance(acknowledgedLog: string, workerLogs: readonly string[]): Promise<Balance> {
  const acknowledged = (await lines(acknowledgedLog)).filter((line) => line !== "");
  const runs = countRuns((await Promise.all(workerLogs.map(lines))).flat());
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((id) => !runs.has(id)).length,
    ran: runs.size,
    duplicates: [...runs.values()].reduce((sum, times) => sum + times - 1, 0),
  };
}

/** Waits until every acknowledged job has run, and prints the balance. Where one never does, it is as it is. */
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

/** How often a worker's log has this line. */
export async function times(log: string, line: string): Promise<number> {
  return (await lines(log)).filter((each) => each === line).length;
}

function countRuns(log: readonly string[]): Map<string, number> {
  const runs = new Map<string, number>();
  for (const line of log) {
    const [, id] = /^ran (.+)$/.exec(line) ?? [];
    if (id !== undefined) runs.set(id, (runs.get(id) ?? 0) + 1);
  }
  return runs;
}

async function lines(log: string): Promise<string[]> {
  return (await readFile(log, "utf8").catch(() => "")).split("\n");
}
