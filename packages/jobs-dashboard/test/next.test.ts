import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventOf } from "./support/served.ts";

/** The route of the guide. */
const route = `import { jobDashboard } from "@nidus/jobs-dashboard";

globalThis.jobsPage ??= jobDashboard({ authorize: () => "operate" });
const answer = (request) => globalThis.jobsPage.fetch(request);
export { answer as GET, answer as POST };
`;

const ownFolder = fileURLToPath(new URL("..", import.meta.url));
const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" } as const;
let folder: string;
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  const generated = join(ownFolder, "test/.generated");
  await mkdir(generated, { recursive: true });
  folder = await mkdtemp(join(generated, "next-"));
  await mkdir(join(folder, "app/jobs/[[...path]]"), { recursive: true });
  await mkdir(join(folder, "node_modules/@nidus"), { recursive: true });
  await symlink(ownFolder, join(folder, "node_modules/@nidus/jobs-dashboard"));
  await writeFile(join(folder, "app/jobs/[[...path]]/route.js"), route);
  await writeFile(join(folder, "next.config.mjs"), "export default { skipTrailingSlashRedirect: true };\n");
  const layout = "export default ({ children }) => <html lang='en'><body>{children}</body></html>;\n";
  await writeFile(join(folder, "app/layout.jsx"), layout);
  await promisify(execFile)(process.execPath, [next, "build"], { cwd: folder, env });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  server = spawn(process.execPath, [next, "start", "-p", String(port), "-H", "127.0.0.1"], {
    cwd: folder,
    env,
  });
  for (;;) {
    if (server.exitCode !== null) throw new Error("Next.js has ended");
    const isUp = await fetch(`${url}/jobs/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
afterAll(async () => {
  if (server !== undefined && server.exitCode === null) {
    server.kill();
    await once(server, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

test("Next.js serves the page, its data, its stream and its actions from a route", async () => {
  const answer = await fetch(`${url}/jobs`);
  expect([answer.status, new URL(answer.url).pathname]).toEqual([200, "/jobs/"]);
  expect(await answer.text()).toContain('src="app.js"');
  expect((await fetch(`${url}/jobs/app.js`)).headers.get("content-type")).toContain("text/javascript");
  expect(await (await fetch(`${url}/jobs/api/overview`)).json()).toMatchObject({ jobs: [] });
  expect((await eventOf(await fetch(`${url}/jobs/api/stream?view=overview`))).data).toContain('"jobs":[]');
  const action = await fetch(`${url}/jobs/api/actions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Nidus-Dashboard": "1", Origin: url },
    body: JSON.stringify({ type: "cancel", engine: "none", ids: ["1"] }),
  });
  expect([action.status, await action.json()]).toEqual([404, { error: "the page watches no such engine" }]);
});
