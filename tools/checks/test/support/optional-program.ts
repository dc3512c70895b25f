import { spawnSync } from "node:child_process";

/** Whether a program that not every machine has is on the PATH. Where CI is set, it has to be. */
export function hasProgram(name: string): boolean {
  const isThere = spawnSync(name, ["--version"]).error === undefined;
  if (!isThere && process.env.CI)
    throw new Error(`${name} is needed where CI is set: install it from Debian`);
  if (!isThere) console.warn(`SKIPPED: ${name} is not on the PATH`);
  return isThere;
}
