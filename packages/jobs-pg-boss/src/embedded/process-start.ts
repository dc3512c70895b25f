import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * Finds when a process started, in the system's own form. The start tells a process from a later one with the same id. Resolves to
 * undefined if there is no such process.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  const fields = await fieldsFromProc(pid);
  // A zombie has ended: its parent has not yet read its exit code.
  if (fields?.[0] === "Z") return undefined;
  return fields?.[19] ?? (await startFromPs(pid)) ?? "unknown";
}

/** Reads /proc/PID/stat from its third field on: the first of these is the state, the twentieth the start in clock ticks. */
async function fieldsFromProc(pid: number): Promise<string[] | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may contain anything.
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

async function startFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
