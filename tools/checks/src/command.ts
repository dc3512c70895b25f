import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./repository.ts";

/** How a command ended. */
export interface Ended {
  readonly isOk: boolean;
  /** stdout, then stderr. */
  readonly output: string;
}

/** What a command is run with. */
export interface RunOptions {
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends the command when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a command, with the workspace's own tools first on its PATH, from the root unless told otherwise. */
export function run(
  command: string,
  args: readonly string[],
  folder: string = root,
  { env, signal }: RunOptions = {},
): Promise<Ended> {
  const PATH = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const options = {
    cwd: folder,
    env: { ...process.env, PATH, ...env },
    maxBuffer: 64 * 1024 * 1024,
    ...(signal && { signal }),
  };
  return new Promise((resolve) => {
    execFile(command, [...args], options, (error, stdout, stderr) => {
      resolve({
        isOk: error === null,
        output: `${stdout}${stderr}${error === null ? "" : `\n${error.message}`}`,
      });
    });
  });
}
