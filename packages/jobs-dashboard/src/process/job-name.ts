import { bounded } from "./error-text.ts";

/** The name under which the jobs beyond the limit of names are counted together. */
export const overflowName = "<overflow>";

/** The longest job name, in characters. Engines store no longer ones. */
export const maxName = 512;

/** Returns the name under which a job is kept and shown. */
export function cutName(jobName: string): string {
  return bounded(jobName, maxName);
}
