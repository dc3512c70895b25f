import { readFile } from "node:fs/promises";

/** Reads the milliseconds of CPU of a process's main thread, from Linux. NaN elsewhere, and for a process that has ended. */
export async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${pid}/schedstat`, "utf8").catch(() => "");
  return text === "" ? Number.NaN : Number(text.split(" ")[0]) / 1e6;
}
