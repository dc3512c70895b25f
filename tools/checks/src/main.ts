import { checkApiReports } from "./api-reports.ts";
import { run } from "./command.ts";
import { checkDependencyDirection } from "./dependency-direction.ts";
import { checkCodeBlocks } from "./examples.ts";
import { checkFloors } from "./floors.ts";
import { checkImportCycles } from "./import-cycles.ts";
import { checkLanguage } from "./language.ts";
import { checkLinks } from "./links.ts";
import { checkNamedEverywhere } from "./named-everywhere.ts";
import { checkTarballs } from "./publishing.ts";
import { checkVersions } from "./versions.ts";
import { checkWorkflows } from "./workflows.ts";

/** A check, and the function that finds its problems. */
type Check = readonly [name: string, find: () => string[] | Promise<string[]>];

const checks: readonly Check[] = [
  ["format and lint", () => command("biome", "ci", ".")],
  ["dead code and dependencies", () => command("knip")],
  ["direction of dependencies", () => checkDependencyDirection()],
  ["import cycles", () => checkImportCycles()],
  ["floors of the packages", () => checkFloors()],
  ["packages, engines and metrics in every list", () => checkNamedEverywhere()],
  ["versions", () => checkVersions()],
  ["links of the documents", () => checkLinks()],
  ["code blocks of the documents", () => checkCodeBlocks()],
  ["language of the documents", () => checkLanguage()],
  ["workflows", () => checkWorkflows()],
  ["API reports", () => checkApiReports()],
  ["packed tarballs", () => checkTarballs()],
];

async function command(name: string, ...args: string[]): Promise<string[]> {
  const { isOk, output } = await run(name, args);
  return isOk ? [] : [output];
}

let failed = 0;
for (const [name, find] of checks) {
  const problems = await find();
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${name}`);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) failed++;
}
console.log(`checks: ${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
