import { type RunOptions, run } from "checks";

/**
 * Runs a command to its end.
 *
 * @returns its output.
 * @throws (rejects with) Error with the end of its output, if it fails.
 */
export async function execute(
  command: string,
  args: readonly string[],
  folder: string,
  options: RunOptions = {},
): Promise<string> {
  const { isOk, output } = await run(command, args, folder, options);
  if (!isOk) throw new Error(`${[command, ...args].join(" ")}: ${output.slice(-5_000)}`);
  return output;
}
