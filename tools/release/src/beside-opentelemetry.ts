import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Package, publishedPackages } from "checks";
import { execute } from "./execute.ts";
import type { PackageManager } from "./package-manager.ts";
import type { Tarball } from "./publish.ts";
import type { Registry } from "./registry.ts";

/** Applications that have OpenTelemetry already, by the major version of their SDK. */
export const openTelemetryLines: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "2": { "@opentelemetry/sdk-node": "0.223", "@opentelemetry/api": "1.9" },
  "3": { "@opentelemetry/sdk-node": "0.301", "@opentelemetry/api": "1.10" },
};

/** Runs a job under the application's SDK, then under a pipeline of its own. Fails unless both send the job's span. */
const program = `
import { once } from "node:events";
import { createServer } from "node:http";
import { asyncJob } from "@nidus/jobs-core";
import { otelPipeline } from "@nidus/jobs-otel/sdk";
import { production } from "@nidus/observability";
import { NodeSDK } from "@opentelemetry/sdk-node";

const received = [];
const collector = createServer(async (request, response) => {
  received.push(Buffer.concat(await request.toArray()).toString("latin1"));
  response.end();
}).listen(0, "127.0.0.1");
await once(collector, "listening");
const endpoint = "http://127.0.0.1:" + collector.address().port;
Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" });

const sdk = new NodeSDK({ serviceName: "application" });
sdk.start();
for (const [name, observability] of [
  ["by_the_application", production("users-api").prometheus().otel()],
  ["by_the_pipeline", production("users-api").prometheus().otel((service) => otelPipeline({ ...service, endpoint }))],
]) {
  await observability.jobRunner().runAsync(asyncJob(name, async () => {}));
  if (!(await observability.metrics()).includes(name)) throw new Error("no metric of " + name);
  await observability.shutdown();
}
await sdk.shutdown();
collector.close();
for (const name of ["by_the_application", "by_the_pipeline"]) {
  if (!received.some((body) => body.includes(name))) throw new Error("no span of " + name);
}
`;

/**
 * Installs an application with OpenTelemetry below `folder`, adds the packages of the READMEs' install lines, and runs a program.
 *
 * @param line - the major version of the application's OpenTelemetry SDK.
 * @throws (rejects with) Error with the output of the step that failed.
 */
export async function tryBesideOpenTelemetry(
  manager: PackageManager,
  line: string,
  checkout: string,
  packages: readonly Tarball[],
  registry: Registry,
  folder: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const project = join(folder, `${manager.name}-opentelemetry-${line}`);
  await mkdir(project);
  const file = join(project, "package.json");
  await writeFile(
    file,
    JSON.stringify({ private: true, type: "module", dependencies: openTelemetryLines[line] }),
  );
  await manager.configure(project, registry);
  await execute(manager.command, manager.args, project, { signal });

  const manifest = JSON.parse(await readFile(file, "utf8")) as { dependencies: object };
  const versions = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  const added = { ...(await namedByReadmes(publishedPackages(checkout), line)), ...versions };
  const dependencies = { ...added, ...manifest.dependencies };
  await writeFile(file, JSON.stringify({ ...manifest, dependencies }));
  await execute(manager.command, manager.args, project, { signal });
  await writeFile(join(project, "program.js"), program);
  await execute(process.execPath, ["program.js"], project, { signal });
}

async function namedByReadmes(packages: readonly Package[], line: string): Promise<Record<string, string>> {
  const readmes = packages.map(({ folder }) => readFile(join(folder, "README.md"), "utf8"));
  return installed((await Promise.all(readmes)).join("\n"), line);
}

/**
 * Reads the install lines of a document.
 *
 * @param line - the major version of the OpenTelemetry SDK. Lines for another version are left out.
 * @returns ranges by the name of the package, `*` if none is given.
 */
export function installed(document: string, line: string): Record<string, string> {
  const lines = [...document.matchAll(/^npm install ([^#\n]+)/gm)].map(([, names]) => names as string);
  const fitting = lines.filter(
    (names) => (/@opentelemetry\/sdk-trace@(\d+)/.exec(names)?.[1] ?? line) === line,
  );
  const specs = fitting
    .flatMap((names) => names.trim().split(/\s+/))
    .filter((spec) => !spec.startsWith("--"));
  return Object.fromEntries(
    specs.map((spec) => [spec.replace(/(?<=.)@.*/, ""), /.@(.*)/.exec(spec)?.[1] ?? "*"]),
  );
}
