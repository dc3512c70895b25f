import { Program } from "./program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** The program as a listening service. */
export interface RunningService {
  readonly program: Program;
  readonly url: string;
  readonly port: number;
  readonly folder: string;
}

/** Starts the service on a free port, with an engine in memory unless the options choose another. It ends with the test. */
export async function startService(
  repository: string,
  env: NodeJS.ProcessEnv = {},
  options: readonly string[] = ["--engine", "memory"],
): Promise<RunningService> {
  const folder = await temporaryFolder();
  const program = new Program(["start", repository, "--port", "0", "--out", folder, ...options], env);
  const line = await program.firstLine();
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  if (!(port > 0)) throw new Error(`there is no port in the first line: ${line}`);
  return { program, url: `http://127.0.0.1:${port}`, port, folder };
}
