import { spawnSync } from "node:child_process";

/**
 * Tells whether a program that not every machine has is on the PATH.
 *
 * @param reason The consequence for a machine without it, such as "no Prometheus scrapes the application".
 * @throws Error if CI is set and the program is missing.
 */
export function hasProgram(name: string, reason: string): boolean {
  const isThere = spawnSync(name, ["--version"]).error === undefined;
  if (!isThere && process.env.CI) throw new Error(`${name} is missing, and CI is set: ${reason}`);
  if (!isThere) console.warn(`SKIPPED: ${name} is not on the PATH: ${reason}`);
  return isThere;
}
