import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./repository.ts";

/** The end of a command. */
export interface Ended {
  readonly isOk: boolean;
  /** stdout, then stderr. */
  readonly output: string;
}

/** Options of {@link run}. */
export interface RunOptions {
  /** Variables that are added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends the command on abort. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a command in `folder`, by default the root. The workspace's own tools come first on its PATH. */
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
