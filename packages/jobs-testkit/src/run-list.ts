import type { JobError } from "@nidus/jobs-core";
import type { RecordedRun } from "./recording-observer.ts";

/** A longer list would be hard to read. */
const maxListed = 20;

/** Lists runs for a message: one line per run, with its name, its status and its error. */
export function listOfRuns(runs: readonly RecordedRun[]): string {
  if (runs.length === 0) return "nothing has run";
  const more = runs.length - maxListed;
  return [
    "what has run:",
    ...runs.slice(0, maxListed).map((run) => `  ${lineOf(run)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join("\n");
}

function lineOf({ jobName, status, error, attributes }: RecordedRun): string {
  const added = Object.keys(attributes).length > 0 ? ` ${JSON.stringify(attributes)}` : "";
  return `${jobName}: ${status}${error === undefined ? "" : ` (${messageOf(error)})`}${added}`;
}

/** Reads the message of an error, even if its getter throws. */
function messageOf(error: JobError): string {
  try {
    return String(error.message);
  } catch {
    return "its message cannot be read";
  }
}
