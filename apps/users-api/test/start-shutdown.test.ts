import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { startCollector } from "./support/collector.ts";
import { createRepository, weeklyCommits } from "./support/git-repository.ts";
import { startMailServer } from "./support/mail-server.ts";
import type { Program } from "./support/program.ts";
import { startService } from "./support/service.ts";

/** How long a busy machine may need, in milliseconds. Waiting for a request or connection would take 10 s, for the mail server 30. */
const boundMs = 9_000;

/** Ends the service, and fails if that takes too long. */
async function stop(program: Program, signal: NodeJS.Signals, withinMs = boundMs) {
  const signalledAt = performance.now();
  program.process.kill(signal);
  const result = await program.ended;
  expect(performance.now() - signalledAt).toBeLessThan(withinMs);
  return result;
}

function keepAliveAgent(): Agent {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return agent;
}

async function send(
  url: string,
  method: string,
  agent: Agent,
): Promise<{ status: number | undefined; body: string }> {
  const outgoing = request(url, { method, agent }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends a service that does nothing at once, with 0",
  async (signal) => {
    const { program, url, folder } = await startService(await createRepository([]));
    await expect.poll(() => program.stdout).toContain("curl");
    expect(await stop(program, signal)).toEqual({
      status: 0,
      signal: null,
      stderr: "",
      stdout: [
        `users-api listens on ${url}, and writes to ${folder}`,
        `  live page   ${url}/jobs/`,
        `  metrics     ${url}/metrics`,
        `  health      ${url}/healthz`,
        `  enqueue     curl --request POST ${url}/digests`,
        `users-api is stopping (${signal})`,
        "users-api has stopped",
        "",
      ].join("\n"),
    });
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  },
);

test("SIGTERM during a run: running jobs see it, and it ends with 0", async () => {
  const mail = await startMailServer({ acceptsAtMost: 2 });
  const { program, url } = await startService(await createRepository(weeklyCommits(30)), {
    SMTP_URL: mail.url,
  });
  expect((await fetch(`${url}/digests`, { method: "POST" })).status).toBe(202);
  // Eight jobs run at once, over the five connections of the mail library.
  await expect.poll(() => mail.waiting).toBe(5);
  const { status, stderr, stdout } = await stop(program, "SIGTERM");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/is stopping \(SIGTERM\)\nusers-api has stopped\n$/);
  expect(mail.accepted).toHaveLength(2);
});

test("a browser that has the live page open does not delay it", async () => {
  const { program, url } = await startService(await createRepository([]));
  const events = await fetch(`${url}/jobs/api/stream?view=overview`);
  expect(events.headers.get("content-type")).toMatch(/^text\/event-stream/);
  expect(await stop(program, "SIGTERM")).toMatchObject({ status: 0, stderr: "" });
  await events.body?.cancel().catch(() => {});
});

test("a kept-alive connection without a request does not delay it", async () => {
  const { program, url } = await startService(await createRepository([]));
  expect((await send(`${url}/healthz`, "GET", keepAliveAgent())).status).toBe(200);
  expect(await stop(program, "SIGTERM")).toMatchObject({ status: 0, stderr: "" });
});

test("a client that never ends its request delays it for a bounded time", async () => {
  const { program, port } = await startService(await createRepository([]));
  const socket = connect({ host: "127.0.0.1", port }).on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n");
  expect(await stop(program, "SIGTERM", 50_000)).toMatchObject({ status: 0, stderr: "" });
});

test("waiting spans have been exported when it has stopped", async () => {
  const collector = await startCollector();
  const sent = 'nidus_jobs_finished_total{job_name="send_digest",status="success"} 2';
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const { program, url } = await startService(await createRepository(weeklyCommits(2)), env);
  expect((await fetch(`${url}/digests`, { method: "POST" })).status).toBe(202);
  await expect.poll(async () => (await (await fetch(`${url}/metrics`)).text()).includes(sent)).toBe(true);
  expect(await stop(program, "SIGTERM")).toMatchObject({ status: 0, stderr: "" });
  for (const name of ["job.run", "send_digest", "reindex_users", "deliver"]) {
    expect(collector.hasReceived(name)).toBe(true);
  }
});
