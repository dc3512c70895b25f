import { spawn } from "node:child_process";
import { once } from "node:events";
import { asyncJob } from "@nidus/jobs-core";
import { production } from "@nidus/observability";
import { Pushgateway, Registry } from "prom-client";
import { endsWithThisProcess, freePort, hasProgram } from "test-servers";
import { expect, onTestFinished, test } from "vitest";

const program = "prometheus-pushgateway";
const isThere = hasProgram(program, "no run is pushed (on Debian: apt-get install prometheus-pushgateway)");

/** Starts a real Pushgateway that ends with the test. */
async function startPushgateway(): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(program, [`--web.listen-address=${address}`], { stdio: "ignore" });
  endsWithThisProcess(child);
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const isReady = async (): Promise<boolean> => (await fetch(`http://${address}/-/ready`)).ok;
  await expect.poll(() => isReady().catch(() => false)).toBe(true);
  return `http://${address}`;
}

/** A process that does one run, and pushes its metrics. */
async function runOnce(url: string, run: () => Promise<void>): Promise<void> {
  const registry = new Registry();
  const runner = production("reports").prometheus({ registry }).jobRunner();
  await runner.runAsync(asyncJob("nightly_report", run)).catch(() => {});
  await new Pushgateway(url, {}, registry).pushAdd({ jobName: "nightly_report" });
}

test.runIf(isThere)("a Pushgateway keeps the last success of a job when a later run fails", async () => {
  const url = await startPushgateway();
  const read = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
  const lastSuccess = /nidus_job_last_success_timestamp_seconds\{.*job_name="nightly_report"\} (\S+)/;

  await runOnce(url, async () => {});
  const [, first] = lastSuccess.exec(await read()) ?? [];
  expect(Number(first)).toBeGreaterThan(0);

  await runOnce(url, () => Promise.reject(new Error("no database")));
  const text = await read();
  expect(lastSuccess.exec(text)?.[1]).toBe(first);
  expect(text).toMatch(/nidus_jobs_finished_total\{.*job_name="nightly_report",status="failure"\} 1/);
});
