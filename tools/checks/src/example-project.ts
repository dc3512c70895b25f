import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";
import type { Example } from "./examples.ts";

/** The peers that users install beside our packages, as the READMEs name them. */
const peers: Readonly<Record<string, string>> = {
  "prom-client": "15",
  "@opentelemetry/api": "1.9",
  "@opentelemetry/sdk-trace": "2",
  "@opentelemetry/sdk-trace-base": "2",
  "@opentelemetry/resources": "2",
  "@opentelemetry/context-async-hooks": "2",
  "@opentelemetry/exporter-trace-otlp-proto": "0.223",
  pino: "10",
  bullmq: "5",
  "pg-boss": "10",
  "@electric-sql/pglite": "0.5",
  // Libraries that only the examples need.
  "p-queue": "9",
  "node-cron": "4",
  "graphile-worker": "0.17",
  zod: "4",
  express: "5",
  "@types/express": "5",
  fastify: "5",
  hono: "4",
  "@nestjs/common": "12",
  "@nestjs/core": "12",
  "@nestjs/bullmq": "12",
  "reflect-metadata": "0.2",
  rxjs: "7",
  winston: "3",
  "@types/pg": "8",
  "@types/node": "20",
};

/** Several run at once, because some wait: for a missing collector, or for jobs to become due. */
const examplesAtOnce = 4;

const compilerOptions = {
  target: "es2022",
  lib: ["es2023", "esnext.disposable"],
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: ["node"],
  // The decorators of NestJS.
  experimentalDecorators: true,
};

/**
 * Writes a project like a user's, with the examples as its programs.
 *
 * @param packages - our packages by name, each with a version or with `file:` and a tarball.
 */
export async function writeExampleProject(
  folder: string,
  packages: Readonly<Record<string, string>>,
  examples: readonly Example[],
): Promise<void> {
  const manifest = {
    name: "a-project",
    type: "module",
    private: true,
    dependencies: { ...packages, ...peers },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["example-*.ts"] }),
  );
  await Promise.all(
    examples.map(({ code }, index) =>
      writeFile(join(folder, `example-${index}.ts`), `${code}\nexport {};\n`),
    ),
  );
}

/** Compiles and runs the examples of an installed project. Resolves to their problems. */
export async function runExamples(
  folder: string,
  examples: readonly Example[],
  signal?: AbortSignal | undefined,
): Promise<string[]> {
  const compiled = await run("tsc", ["-p", folder, "--pretty", "false"], folder, { signal });
  if (!compiled.isOk) return [compiled.output];
  const left = [...examples.entries()];
  const problems: string[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, example] = next;
      problems.push(...(await runExample(`example-${index}.js`, folder, example, signal)));
    }
  };
  await Promise.all(Array.from({ length: examplesAtOnce }, worker));
  return problems;
}

/** Runs an example that was compiled to a file of a folder. Resolves to its problems. */
export async function runExample(
  file: string,
  folder: string,
  { where, prints, hasTests }: Example,
  signal?: AbortSignal | undefined,
): Promise<string[]> {
  // Most examples with an embedded database take longer to optimise its code than to run it.
  const { isOk, output } = await run(process.execPath, ["--liftoff-only", file], folder, { signal });
  if (!isOk) return [`${where}: ${output}`];
  if (hasTests && !/^. pass [1-9]/m.test(output)) return [`${where}: no test ran: ${output}`];
  const printed = output.split("\n");
  return prints
    .filter((line) => !printed.includes(line))
    .map((line) => `${where} did not print "${line}": ${output}`);
}
