import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { requireVersion } from "../../src/connection/bullmq-version.ts";
import { bullmqEngine } from "../../src/index.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

describe("the BullMQ that an engine needs", () => {
  it.each(["5.81.5", "5.100.0", "6.0.11", "6.7.0"])("may be %s", (version) => {
    expect(() => requireVersion(version)).not.toThrow();
  });

  it.each([undefined, "", "5.0.0", "5.81.4", "6.0.10", "4.18.3", "7.0.0"])("is not %s", (version) => {
    expect(() => requireVersion(version)).toThrow(/needs bullmq >=5\.81\.5 <6 or >=6\.0\.11 <7/);
  });

  it.skipIf(redis === undefined)("is the one with which these tests run", async () => {
    const engine = await bullmqEngine({
      runner: new ObservedJobRunner(),
      connection: { url: redis?.url ?? "" },
      prefix: crypto.randomUUID(),
    });
    await engine.close();
  });
});

describe.skipIf(redis === undefined)("a project with BullMQ 5.0", () => {
  it("loads the package, wraps processors, and hears which version an engine needs", async () => {
    const project = await mkdtemp(join(tmpdir(), "nidus-bullmq-"));
    onTestFinished(() => rm(project, { recursive: true }));
    const require = createRequire(import.meta.url);
    // A copy of the package as it is installed: it finds this BullMQ, and no other.
    const installed = join(project, "node_modules", "@nidus", "jobs-bullmq");
    await mkdir(installed, { recursive: true });
    const own = resolve(import.meta.dirname, "../..");
    await symlink(join(own, "dist"), join(installed, "dist"));
    await symlink(join(own, "package.json"), join(installed, "package.json"));
    for (const name of ["jobs-core", "jobs-observe", "jobs-durable"]) {
      await symlink(resolve(own, "..", name), join(project, "node_modules", "@nidus", name));
    }
    const bullmq = dirname(require.resolve("bullmq-5-0/package.json"));
    await symlink(bullmq, join(project, "node_modules", "bullmq"));
    const program = `
      import { ObservedJobRunner } from "@nidus/jobs-observe";
      import { bullmqEngine, observeBullmqProcessor } from "@nidus/jobs-bullmq";
      const runner = new ObservedJobRunner();
      console.log(typeof observeBullmqProcessor(runner, async () => {}));
      const { hostname: host, port } = new URL(process.env.REDIS);
      await bullmqEngine({ runner, connection: { host, port: Number(port) } }).catch((error) => console.log(error.message));
      process.exit();
    `;
    await writeFile(join(project, "program.mjs"), program);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--preserve-symlinks", "--preserve-symlinks-main", "program.mjs"],
      // What BullMQ itself needs is installed beside it.
      { cwd: project, env: { ...process.env, REDIS: redis?.url, NODE_PATH: dirname(bullmq) } },
    );
    expect(stdout).toContain("function\nthe engine needs bullmq >=5.81.5");
  });
});
