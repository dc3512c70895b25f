import { execFileSync, spawnSync } from "node:child_process";

/** Whether a program that not every machine has is there. A machine that checks changes (CI) has to have it. */
export function hasTool(name: string): boolean {
  const isThere = spawnSync(name, ["--version"]).error === undefined;
  if (!isThere && process.env.CI)
    throw new Error(`${name} is needed where CI is set: install Debian's "prometheus"`);
  if (!isThere) console.warn(`SKIPPED: ${name} is not on the PATH; Debian's "prometheus" has it`);
  return isThere;
}

/** What `promtool check metrics` has to say: nothing, when all is well. */
export function promtoolCheck(text: string): string {
  return execFileSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8", stdio: "pipe" });
}
