import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pageBlocksOf, publishedPackages, run } from "checks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const require = createRequire(import.meta.url);
const typescript = require.resolve("typescript-5/lib/tsc.js");

/** The entry points of all packages, such as "@nidus/jobs-otel/sdk". */
const entries = publishedPackages().flatMap(({ manifest }) =>
  Object.keys((manifest as { exports?: object }).exports ?? {}).map((each) => join(manifest.name, each)),
);

const compilerOptions = {
  target: "es2022",
  lib: ["es2023", "esnext.disposable"],
  module: "commonjs",
  moduleResolution: "node10",
  esModuleInterop: true,
  strict: true,
  skipLibCheck: true,
  types: ["node"],
};

/** A service from before modules: it imports in TypeScript, and requires in JavaScript. */
const program = `
${entries.map((entry, index) => `import * as entry${index} from "${entry}";`).join("\n")}
import { AsyncJobQueue, asyncJob } from "@nidus/jobs-core";
import { production } from "@nidus/observability";

const entries: readonly object[] = [${entries.map((_, index) => `entry${index}`).join(", ")}];
const observability = production("users-api").prometheus();
const queue = new AsyncJobQueue();
queue.push(asyncJob("send_digest", async (signal: AbortSignal) => signal.aborted));
queue.drain({ runner: observability.jobRunner() }).then((report) => {
  const names: readonly string[] = report.completed;
  console.log(names.join(), entries.every((each) => Object.keys(each).length > 0), typeof require);
});
`;

/** The recipe of the guide. */
const recipe =
  pageBlocksOf("where-you-run-it.md").find(({ code }) => code.includes("CommonJS has no"))?.code ?? "";

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "nidus-commonjs-"));
  await mkdir(join(project, "node_modules", "@nidus"), { recursive: true });
  await mkdir(join(project, "node_modules", "@types"), { recursive: true });
  for (const { manifest, folder } of publishedPackages()) {
    await symlink(folder, join(project, "node_modules", manifest.name));
  }
  const types = dirname(require.resolve("@types/node/package.json"));
  await symlink(types, join(project, "node_modules", "@types", "node"));
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "a-service", private: true }));
  await writeFile(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["service.ts", "recipe.ts"] }),
  );
  await writeFile(join(project, "service.ts"), program);
  await writeFile(join(project, "recipe.ts"), recipe);
});

afterAll(() => rm(project, { recursive: true }));

describe("a CommonJS service that resolves modules as Node 10 did", () => {
  it("compiles against every entry point, and runs", async () => {
    const compiled = await run(process.execPath, [typescript, "-p", project], project);
    expect(compiled.output).toBe("");
    const { output } = await run(process.execPath, ["service.js"], project);
    expect(output).toContain("send_digest true function");
    const printed = await run(process.execPath, ["recipe.js"], project);
    expect(printed).toMatchObject({ isOk: true, output: "done\n" });
  });

  it("runs with ts-node", async () => {
    const { output } = await run(
      process.execPath,
      [require.resolve("ts-node/dist/bin.js"), "--compiler", dirname(dirname(typescript)), "service.ts"],
      project,
    );
    expect(output).toContain("send_digest true function");
  });
});
