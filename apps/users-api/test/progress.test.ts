import { join } from "node:path";
import { hasProgram } from "test-servers";
import { expect, test } from "vitest";
import { createRepository, weeklyCommits } from "./support/git-repository.ts";
import { runInTerminal } from "./support/program.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

// On other systems, `script` has other options.
const hasTerminal = process.platform === "linux" && hasProgram("script", "nothing is run in a terminal");

async function demoInTerminal(env: NodeJS.ProcessEnv = {}) {
  const repository = await createRepository(weeklyCommits(12));
  return runInTerminal(["demo", repository, "--out", await temporaryFolder(), "--engine", "memory"], env);
}

test.runIf(hasTerminal)("in a terminal, a bar counts the jobs, and the cursor comes back", async () => {
  const { status, stdout } = await demoInTerminal();
  expect(status).toBe(0);
  expect(stdout).toContain(" 13/13 jobs");
  expect(stdout.lastIndexOf("\u001b[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001b[?25l"));
  expect(stdout).toContain("\u001b[?25l");
});

test.runIf(hasTerminal)("in a terminal, headings are bold, unless NO_COLOR is set", async () => {
  expect((await demoInTerminal()).stdout).toContain("\u001b[1mSummary\u001b[22m");
  const { stdout } = await demoInTerminal({ NO_COLOR: "1" });
  expect(stdout).toMatch(/^Summary\r$/m);
  expect(stdout).not.toContain("\u001b[1m");
});

test.runIf(hasTerminal)("in a terminal, a refusal is one line too, and leaves no bar", async () => {
  const folder = await temporaryFolder();
  const env = { GIT_CEILING_DIRECTORIES: join(folder, "..") };
  const { status, stdout } = await runInTerminal(["demo", folder, "--out", await temporaryFolder()], env);
  expect(status).toBe(1);
  expect(stdout).toBe(`users-api: ${folder} is not a git repository\r\n`);
});
