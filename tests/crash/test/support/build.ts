import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const repositoryRoot = fileURLToPath(new URL("../../../..", import.meta.url));
const lockFolder = fileURLToPath(new URL("../../.turbo", import.meta.url));

/** Builds the spawned program and its dependencies, because Node 20 does not run the sources. */
export async function buildProgram(): Promise<void> {
  await mkdir(lockFolder, { recursive: true });
  const lock = join(lockFolder, "test-build.lock");
  // Test files run in parallel, and none may rewrite the program while another runs it.
  while (!(await take(lock))) await pause(50);
  try {
    const args = ["run", "build", "--filter=crash-tests...", "--output-logs=errors-only"];
    const turbo = join(repositoryRoot, "node_modules", ".bin", "turbo");
    await promisify(execFile)(turbo, args, { cwd: repositoryRoot }).catch((error: { stdout?: string }) => {
      throw new Error(`the program could not be built:\n${error.stdout}`, { cause: error });
    });
  } finally {
    await rm(lock, { force: true });
  }
}

/** Takes over a lock in the next round if its owner has died. */
async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const owner = Number(await readFile(lock, "utf8").catch(() => ""));
    if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
