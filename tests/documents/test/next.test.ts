import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pageBlocksOf, root } from "checks";
import { endsWithThisProcess, freePort } from "test-servers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const places = readFileSync(join(root, "apps/docs/where-you-run-it.md"), "utf8");
const blocks = pageBlocksOf("where-you-run-it.md");
const pageRoute = pageBlocksOf("jobs-page.md").find(({ code }) => code.includes("answer as GET"))?.code ?? "";
const codeOf = (file: string): string => blocks.find((block) => block.file === file)?.code ?? "";
/** The recipe ends with what a route handler does. */
const [jobs = "", enqueue = ""] = codeOf("jobs.ts").split("// In a route handler:\n");
const external = /`serverExternalPackages`.*?`(\[.*?\])`/s.exec(places)?.[1];

/** A Next.js application, with the recipes of the guides as they are printed. */
const files: Readonly<Record<string, string>> = {
  "next.config.mjs": `export default { skipTrailingSlashRedirect: true, serverExternalPackages: ${external} };\n`,
  "jobs.ts": jobs,
  "instrumentation.ts": codeOf("instrumentation.ts"),
  "app/layout.jsx": "export default ({ children }) => <html lang='en'><body>{children}</body></html>;\n",
  "app/jobs/[[...path]]/route.js": pageRoute
    .replace("type JobDashboard, ", "")
    .replace('"read"', '"operate"')
    .replace(/ as \{.*?\}/, "")
    .replace(/\(request: Request\).*? =>/, "(request) =>"),
  "app/digests/route.js": `import { jobs, sendDigest } from "../../jobs";
export async function POST() {
  ${enqueue}
  return new Response("enqueued");
}
`,
  "app/metrics/route.js": `import { jobs } from "../../jobs";
export async function GET() {
  const { observability } = await jobs();
  return new Response(await observability.metrics(), { headers: { "Content-Type": observability.contentType } });
}
`,
  // A job that is under way when the server has to stop.
  "app/slow/route.js": `import { defineJob } from "@nidus/jobs-durable";
import { jobs } from "../../jobs";
const slow = defineJob({
  name: "slow",
  run: async () => {
    console.log("the slow run begins");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    console.log("the slow run ends");
  },
});
export async function POST() {
  const { engine } = await jobs();
  await engine.enqueue(slow);
  await engine.work({ jobs: [slow] });
  return new Response("enqueued");
}
`,
};

const ownFolder = fileURLToPath(new URL("..", import.meta.url));
const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
// Next.js leaves SIGTERM to the recipe.
const env = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: "1",
  NEXT_MANUAL_SIG_HANDLE: "true",
  NODE_ENV: "production",
} as const;
let folder: string;
let server: ChildProcess;
let output = "";
let url: string;

beforeAll(async () => {
  const generated = join(ownFolder, "test/.generated");
  await mkdir(generated, { recursive: true });
  folder = await mkdtemp(join(generated, "next-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(join(ownFolder, "node_modules/@nidus"), join(folder, "node_modules/@nidus"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await promisify(execFile)(process.execPath, [next, "build"], { cwd: folder, env });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  server = spawn(process.execPath, [next, "start", "-p", String(port), "-H", "127.0.0.1"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  endsWithThisProcess(server);
  for (const stream of [server.stdout, server.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(server, "exit").then(() => Promise.reject(new Error(`Next.js has ended: ${output}`)));
  ended.catch(() => {});
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    );
  const listening = vi.waitUntil(isUp, { timeout: 300_000, interval: 100 });
  await Promise.race([listening, ended]);
});

afterAll(async () => {
  if (server !== undefined && server.exitCode === null && server.signalCode === null) {
    server.kill("SIGKILL");
    await once(server, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

const post = async (path: string, body?: object): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Nidus-Dashboard": "1",
      authorization: "Bearer ada",
      Origin: url,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

describe("a production build of Next.js", () => {
  test("runs the jobs that route handlers enqueue in the worker of instrumentation.ts", async () => {
    expect((await post("/digests")).status).toBe(200);
    await expect.poll(() => output).toContain("digest for ada@example.org");
    const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
    await expect
      .poll(metrics)
      .toContain('nidus_jobs_finished_total{job_name="send_digest",status="success"} 1');
  });

  test("serves the jobs page, its data, its stream and its actions from a route", async () => {
    const headers = { authorization: "Bearer ada" };
    const answer = await fetch(`${url}/jobs`, { headers });
    expect([answer.status, new URL(answer.url).pathname]).toEqual([200, "/jobs/"]);
    expect(await answer.text()).toContain('src="app.js"');
    const script = await fetch(`${url}/jobs/app.js`, { headers });
    expect(script.headers.get("content-type")).toContain("text/javascript");
    expect((await fetch(`${url}/jobs/api/overview`)).status).toBe(403);
    expect(await (await fetch(`${url}/jobs/api/overview`, { headers })).json()).toMatchObject({ jobs: [] });
    const stream = await fetch(`${url}/jobs/api/stream?view=overview`, { headers });
    let streamed = "";
    for await (const part of stream.body ?? []) {
      streamed += Buffer.from(part).toString();
      if (streamed.includes('"jobs":[]')) break;
    }
    expect(streamed).toContain('"jobs":[]');
    const action = await post("/jobs/api/actions", { type: "cancel", engine: "none", ids: ["1"] });
    expect([action.status, await action.json()]).toEqual([404, { error: "the page watches no such engine" }]);
  });

  test("ends at SIGTERM by the recipe's handler, after the job that was under way", async () => {
    expect((await post("/slow")).status).toBe(200);
    await expect.poll(() => output).toContain("the slow run begins");
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(output).toContain("the slow run ends");
  });
});
