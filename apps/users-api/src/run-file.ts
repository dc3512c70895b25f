import { createHash, randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A run that has not ended: its jobs may still be stored. */
export interface UnfinishedRun {
  /** Begins the idempotency keys of its jobs: enqueuing them again stores only the missing ones. */
  readonly runId: string;
  /** A hash of its jobs. Another commit changes it, and so begins another run. */
  readonly hash: string;
}

/** Returns the run that a folder records, or records a new one for these jobs. */
export async function beginRun(folder: string, jobs: unknown): Promise<UnfinishedRun> {
  const hash = createHash("sha256").update(JSON.stringify(jobs)).digest("hex");
  const recorded = await readRun(folder);
  if (recorded?.hash === hash) return recorded;
  const run = { runId: randomUUID(), hash };
  await writeFile(pathIn(folder), `${JSON.stringify(run)}\n`, { mode: 0o600 });
  return run;
}

/** Removes the record of a run, unless another run has replaced it. */
export async function finishRun(folder: string, { runId }: UnfinishedRun): Promise<void> {
  if ((await readRun(folder))?.runId === runId) await rm(pathIn(folder), { force: true });
}

/** An unreadable file counts as none. */
async function readRun(folder: string): Promise<UnfinishedRun | undefined> {
  const text = await readFile(pathIn(folder), "utf8").catch(() => "{}");
  const [runId, hash] = [/"runId":"([0-9a-f-]{36})"/.exec(text)?.[1], /"hash":"(\w{64})"/.exec(text)?.[1]];
  return runId === undefined || hash === undefined ? undefined : { runId, hash };
}

function pathIn(folder: string): string {
  return join(folder, "run.json");
}
