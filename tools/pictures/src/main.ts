import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { excerptOf } from "./excerpt.ts";
import { makeHistory } from "./history.ts";
import { terminalSvg } from "./terminal-svg.ts";

// `pnpm pictures` runs the demo on a small history, and draws its output.
const root = fileURLToPath(new URL("../../..", import.meta.url));
const program = join(root, "apps/users-api/dist/main.js");
const picture = join(root, "apps/docs/pictures/demo.svg");

const folder = mkdtempSync(join(tmpdir(), "nidus-pictures-"));
try {
  makeHistory(join(folder, "history"));
  const args = [program, "demo", "history", "--out", join(folder, "out"), "--concurrency", "4", "--metrics"];
  const env = { ...process.env, INIT_CWD: folder };
  const output = execFileSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
  const lines = excerptOf(output.replaceAll(`${folder}/`, "").replace(/127\.0\.0\.1:\d+/, "127.0.0.1:3000"));
  const title = "A run of the demo: a summary per job, the failures, the slowest trace and a metric";
  writeFileSync(picture, terminalSvg({ title, command: "pnpm demo history --metrics", lines }));
  console.log(`wrote ${picture}`);
} finally {
  rmSync(folder, { recursive: true });
}
