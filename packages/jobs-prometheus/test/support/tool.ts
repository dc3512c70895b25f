import { execFileSync, spawnSync } from "node:child_process";

/** Tells whether an optional program is installed. On CI it must be. */
export function hasTool(name: string): boolean {
  const isThere = spawnSync(name, ["--version"]).error === undefined;
  if (!isThere && process.env.CI)
    throw new Error(`${name} is needed where CI is set: install Debian's "prometheus"`);
  if (!isThere) console.warn(`SKIPPED: ${name} is not on the PATH; Debian's "prometheus" has it`);
  return isThere;
}

/** Returns the output of `promtool check metrics`, which is empty if all is well. */
export function promtoolCheck(text: string): string {
  return execFileSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8", stdio: "pipe" });
}
