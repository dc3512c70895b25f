import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * When a process started, in whatever form the system has: it tells a process from a later one with the same id. Undefined
 * where there is no such process.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  const fields = await fieldsFromProc(pid);
  // A zombie has ended: its parent has only not asked yet how.
  if (fields?.[0] === "Z") return undefined;
  return fields?.[19] ?? (await startFromPs(pid)) ?? "unknown";
}

/** The third field of /proc/PID/stat and those after it: the state is the first of them, the start in clock ticks the twentieth. */
async function fieldsFromProc(pid: number): Promise<string[] | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name before them, in parentheses, may contain anything.
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
