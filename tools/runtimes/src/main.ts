import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { executableOf } from "./executable.ts";
import { type Findings, findingsOn } from "./findings.ts";
import { judge } from "./judgement.ts";
import { knownLimits } from "./known-limits.ts";
import { markdownOf, titleOf } from "./markdown.ts";
import { createProject } from "./project.ts";
import { runtimeNamed, runtimes } from "./runtimes.ts";

const help = `pnpm runtimes

  (nothing)            try the packages on every runtime, and write results.md
  run NAME [ARG …]     run a program with one of them: ${runtimes.map(({ name }) => name).join(", ")}
`;

/** Tries the packages on every runtime. */
async function tryAll(): Promise<void> {
  await using project = await createProject();
  const all: Findings[] = [];
  for (const runtime of runtimes) all.push(await findingsOn(runtime, project));
  const rows = judge(all, knownLimits);
  const text = markdownOf(runtimes, rows, knownLimits);
  await writeFile(new URL("../results.md", import.meta.url), text);
  console.log(text);
  const cells = rows.flatMap(({ check, cells }) =>
    cells.map((cell, column) => ({ check, ...cell, runtime: runtimes[column] })),
  );
  const failed = cells.filter(({ state }) => state === "failed");
  for (const { check, runtime, problem } of failed) {
    console.log(`FAIL ${runtime && titleOf(runtime)}: ${check}: ${problem}`);
  }
  const passed = cells.filter(({ state }) => state === "ok");
  console.log(`runtimes: ${passed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** Runs a program with a runtime, and ends with the program's status. */
async function runWith(name: string | undefined, args: readonly string[]): Promise<void> {
  const running = spawn(await executableOf(runtimeNamed(name)), args, { stdio: "inherit" });
  const [status] = (await once(running, "exit")) as [number | null];
  process.exitCode = status ?? 1;
}

const [command, name, ...args] = process.argv.slice(2);
if (command === undefined) await tryAll();
else if (command === "run") await runWith(name, args);
else {
  process.stdout.write(help);
  process.exitCode = command === "--help" ? 0 : 1;
}
