import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { removeFolder } from "./remove-folder.ts";
import { ServerProcess } from "./server-process.ts";

/** One series of an instant query's answer. */
interface QueriedSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix time, and the value as text. */
  readonly value: readonly [number, string];
}

/** A real Prometheus. */
export interface PrometheusServer {
  /** @throws (rejects with) Error with Prometheus's answer for an invalid expression. */
  query(expression: string): Promise<readonly QueriedSeries[]>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** What a Prometheus scrapes every two seconds, and the rules that it evaluates. */
export interface PrometheusOptions {
  /** The port on loopback of each scrape job. */
  readonly targets: Readonly<Record<string, number>>;
  /** Paths of files. */
  readonly ruleFiles?: readonly string[];
}

/** The program must be installed on the machine: no npm package has it. */
export const prometheusProgram = "prometheus";

/** Starts a Prometheus. Resolves when it is ready. */
export async function startPrometheus({
  targets,
  ruleFiles = [],
}: PrometheusOptions): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-prometheus-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const configuration = {
    global: { scrape_interval: "2s", scrape_timeout: "2s", evaluation_interval: "1s" },
    rule_files: ruleFiles,
    scrape_configs: Object.entries(targets).map(([job_name, port]) => ({
      job_name,
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    })),
  };
  const file = join(folder, "prometheus.yml");
  // Prometheus reads YAML, which includes JSON.
  await writeFile(file, JSON.stringify(configuration));
  const server = new ServerProcess(
    prometheusProgram,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${url.slice(7)}`,
    ],
    {},
    async () => (await get(`${url}/-/ready`).catch(() => undefined))?.ok ?? false,
  );
  await server.start();
  return {
    async query(expression) {
      const response = await get(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      if (!response.ok) throw new Error(`${expression}: ${response.status} ${await response.text()}`);
      const { data } = (await response.json()) as { data: { result: readonly QueriedSeries[] } };
      return data.result;
    },
    async stop() {
      await server.kill();
      await removeFolder(folder);
    },
  };
}

function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(10_000) });
}
