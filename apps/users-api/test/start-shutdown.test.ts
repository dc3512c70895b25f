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
    expect(await stop(program, signal)).toEqual({
      status: 0,
      signal: null,
      stderr: "",
      stdout: [
        `users-api listens on ${url}, writing to ${folder}`,
        `users-api is stopping (${signal})`,
        "users-api has stopped",
        "",
      ].join("\n"),
    });
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  },
);

test("SIGTERM during a run: running jobs see it, the request gets a report, and it ends with 0", async () => {
  const mail = await startMailServer({ acceptsAtMost: 2 });
  const { program, url } = await startService(await createRepository(weeklyCommits(30)), {
    SMTP_URL: mail.url,
  });
  const answer = fetch(`${url}/digests`, { method: "POST", headers: { Connection: "close" } });
  await expect.poll(() => mail.waiting).toBe(5);
  const { status, stderr, stdout } = await stop(program, "SIGTERM");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/is stopping \(SIGTERM\)\nusers-api has stopped\n$/);
  const response = await answer;
  expect(response.status).toBe(503);
  // Eight jobs ran at once, over the five connections of the mail library.
  expect(await response.json()).toMatchObject({
    reindex: { completed: 1, wasAborted: false },
    digests: { completed: 2, failed: [], cancelled: 8, wasAborted: true },
  });
});

test("a kept-alive connection without a request does not delay it", async () => {
  const { program, url } = await startService(await createRepository([]));
  expect((await send(`${url}/healthz`, "GET", keepAliveAgent())).status).toBe(200);
  expect(await stop(program, "SIGTERM")).toMatchObject({ status: 0, stderr: "" });
});

test("a kept-alive connection does not delay it after the answer to its open request", async () => {
  const mail = await startMailServer({ acceptsAtMost: 0 });
  const { program, url } = await startService(await createRepository(weeklyCommits(2)), {
    SMTP_URL: mail.url,
  });
  const answer = send(`${url}/digests`, "POST", keepAliveAgent());
  await expect.poll(() => mail.waiting).toBe(2);
  expect(await stop(program, "SIGTERM")).toMatchObject({ status: 0, stderr: "" });
  expect((await answer).status).toBe(503);
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
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const { program, url } = await startService(await createRepository(weeklyCommits(2)), env);
  const { status } = await fetch(`${url}/digests`, { method: "POST", headers: { Connection: "close" } });
  expect(status).toBe(200);
  expect(await stop(program, "SIGTERM")).toMatchObject({ status: 0, stderr: "" });
  for (const name of ["job.run", "send_digest", "reindex_users", "deliver"]) {
    expect(collector.hasReceived(name)).toBe(true);
  }
});
