import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");

/**
 * Builds what tests start or pack, once before all of them: Node 20 does not run the sources, and no file may be written while a
 * program reads it.
 */
export async function setup(): Promise<void> {
  const turbo = join(root, "node_modules", ".bin", "turbo");
  const args = ["run", "build", "--output-logs=errors-only"];
  await promisify(execFile)(turbo, args, { cwd: root }).catch((error: { stdout?: string }) => {
    throw new Error(`the repository could not be built:\n${error.stdout}`, { cause: error });
  });
}
