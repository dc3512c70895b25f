import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "test-servers";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

/** One series of an instant query's answer. */
interface QueriedSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix time, and the value as text. */
  readonly value: readonly [number, string];
}

/** A real Prometheus. */
export interface PrometheusServer {
  /** Rejects if the server does not answer, such as before it is ready. */
  query(expression: string): Promise<readonly QueriedSeries[]>;
}

/** Prometheus must be installed on the machine: no package includes it. */
export const prometheusProgram = "prometheus";

/** Starts a Prometheus that scrapes one target every second, and ends with the test. */
export async function startPrometheus(job: string, targetPort: number): Promise<PrometheusServer> {
  const [folder, port] = [await temporaryFolder(), await freePort()];
  const configuration = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: job, static_configs: [{ targets: [`127.0.0.1:${targetPort}`] }] }],
  };
  const file = join(folder, "prometheus.yml");
  // Prometheus reads YAML, which includes JSON.
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(
    prometheusProgram,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  const ended = once(child, "close");
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
  });
  return {
    async query(expression) {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      if (!response.ok) throw new Error(`${expression}: ${response.status} ${await response.text()}`);
      const { data } = (await response.json()) as { data: { result: readonly QueriedSeries[] } };
      return data.result;
    },
  };
}
