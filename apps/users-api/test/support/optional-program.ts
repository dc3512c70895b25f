import { execFileSync } from "node:child_process";

/** Whether a program that is not part of the toolchain can be run. Where CI is set, it has to be. */
export function hasProgram(name: string, reason: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    if (process.env.CI) throw new Error(`${name} is missing, and CI is set: ${reason}`);
    console.warn(`SKIPPED: ${name} is not on the PATH: ${reason}`);
    return false;
  }
}
