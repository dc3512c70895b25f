import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");

/**
 * Builds what tests start or pack, once before all of them: Node 20 does not run the sources, and no file may be written while a
 * program reads it.
 */
export async function setup(): Promise<void> {
  const build = ["run", "build", "--output-logs=errors-only"];
  // Turbo needs pnpm on the PATH. Editors start vitest without it.
  const hasPnpm = (process.env.PATH ?? "")
    .split(delimiter)
    .some((folder) => existsSync(join(folder, "pnpm")));
  const [command, ...before] = hasPnpm
    ? [join(root, "node_modules", ".bin", "turbo")]
    : ["npx", "--yes", "pnpm@12", "exec", "turbo"];
  await promisify(execFile)(command as string, [...before, ...build], { cwd: root }).catch(
    (error: { stdout?: string; stderr?: string }) => {
      const output = `${error.stdout}${error.stderr}`;
      throw new Error(`the repository could not be built:\n${output}`, { cause: error });
    },
  );
}
