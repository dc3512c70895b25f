import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./repository.ts";

/** How a command ended. */
export interface Ended {
  readonly isOk: boolean;
  /** stdout, then stderr. */
  readonly output: string;
}

/** With the workspace's own tools in front. */
const env = { ...process.env, PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter) };

/** Runs one of the workspace's own commands, from the root unless told otherwise. */
export function run(command: string, args: readonly string[], folder: string = root): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({
          isOk: error === null,
          output: `${stdout}${stderr}${error === null ? "" : `\n${error.message}`}`,
        });
      },
    );
  });
}
