import { execFile } from "node:child_process";
import { executableOf } from "./executable.ts";
import type { Project } from "./project.ts";
import type { Runtime } from "./runtimes.ts";

/** The findings on one runtime. */
export interface Findings {
  readonly runtime: Runtime;
  /** The error of each check, by name. Undefined if it passed. */
  readonly errors: ReadonlyMap<string, string | undefined>;
}

const limitMs = 60_000;

/** Runs the probe of a project. Collects its reports, and checks that it ends by itself. */
export async function findingsOn(runtime: Runtime, { folder, probe }: Project): Promise<Findings> {
  const executable = await executableOf(runtime);
  // Ignores the settings of the machine, and asks for no newer version.
  const env = { HOME: folder, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" };
  const options = { cwd: folder, env, timeout: limitMs, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(executable, [...runtime.options, probe], options, (error, stdout, stderr) => {
      const lines = stdout.split("\n").filter((line) => line.startsWith('{"check":'));
      const reports = lines.map((line) => JSON.parse(line) as { check: string; error?: string });
      const errors = new Map(reports.map((report) => [report.check, report.error]));
      const end = error === null ? undefined : `${error.signal ?? `exit status ${error.code}`}: ${stderr}`;
      resolve({ runtime, errors: errors.set("the program: ends by itself", end) });
    });
  });
}
