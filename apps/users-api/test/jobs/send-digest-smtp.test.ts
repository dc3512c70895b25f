import { readFile } from "node:fs/promises";
import { type AsyncJob, AsyncJobQueue } from "@nidus/jobs-core";
import { trace } from "@opentelemetry/api";
import { freePort } from "test-servers";
import { expect, onTestFinished, test } from "vitest";
import type { Digest } from "../../src/jobs/digest.ts";
import { Outbox } from "../../src/jobs/outbox.ts";
import { sendDigest } from "../../src/jobs/send-digest.ts";
import { digestOf } from "../support/digests.ts";
import { startMailServer } from "../support/mail-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const { signal } = new AbortController();

async function openTo(smtpUrl: string): Promise<Outbox> {
  const outbox = new Outbox(await temporaryFolder(), smtpUrl);
  onTestFinished(() => outbox.close());
  return outbox;
}

interface SendDigest extends AsyncJob<string> {
  run(signal: AbortSignal): Promise<string>;
}

/** The job in an AsyncJobQueue, with the digest as an engine stores it. */
const jobOf = (digest: Digest, outbox: Outbox) =>
  sendDigest(outbox, trace.getTracer("test")).with(digest) as SendDigest;

const to = (...addresses: string[]) => addresses.map((authorEmail) => digestOf({ authorEmail }));

test("the server gets the bytes of the file, in an envelope to the author", async () => {
  const server = await startMailServer();
  const outbox = await openTo(server.url);
  const path = await jobOf(digestOf({ authorName: "Zoë", authorEmail: "zoe@example.com" }), outbox).run(
    signal,
  );
  expect(server.accepted).toEqual([
    { from: "digests@users-api.example", to: ["zoe@example.com"], content: expect.any(Buffer) },
  ]);
  const written = await readFile(path, "latin1");
  // SMTP ends the last line of a message in any case.
  expect(server.accepted[0]?.content.toString("latin1")).toBe(
    written.endsWith("\r\n") ? written : `${written}\r\n`,
  );
});

test("lines that begin with a dot arrive unchanged", async () => {
  const server = await startMailServer();
  const outbox = await openTo(server.url);
  const message = {
    to: { name: "", address: "ada@example.com" },
    subject: "dots",
    text: ".\n..\n.dot\nend\n",
    key: "dots",
  };
  const composed = await outbox.compose(message);
  expect(composed.toString("latin1")).toContain("\r\n.\r\n");
  await outbox.deliver(message, composed, signal);
  expect(server.accepted[0]?.content.toString("latin1").trimEnd()).toBe(
    composed.toString("latin1").trimEnd(),
  );
});

test("an address with a quoted name is one recipient, and no other", async () => {
  const server = await startMailServer();
  const outbox = await openTo(server.url);
  const addresses = [
    '"eve@example.org x"@example.com',
    '"a,b"@example.com',
    '"eve@example.org,c"@example.com',
  ];
  const outcome = new AsyncJobQueue();
  outcome.pushAll(to(...addresses).map((digest) => jobOf(digest, outbox)));
  await outcome.drain();
  for (const { to: recipients } of server.accepted) {
    expect(recipients).toHaveLength(1);
    expect(recipients[0]).toMatch(/@example\.com$/);
  }
});

test("a recipient that the server refuses makes its job fail with the server's words; the others go on", async () => {
  const refusal = (address: string) => (address.startsWith("gone") ? "no such user here" : undefined);
  const server = await startMailServer({ refusal });
  const outbox = await openTo(server.url);
  const queue = new AsyncJobQueue();
  queue.pushAll(
    to("a@example.com", "gone@example.com", "b@example.com", "c@example.com").map((digest) =>
      jobOf(digest, outbox),
    ),
  );
  const report = await queue.drain({ concurrency: 2 });
  expect(report.completed).toHaveLength(3);
  expect(report.failed.map(({ jobName }) => jobName)).toEqual(["send_digest"]);
  expect(report.failed[0]?.error.message).toMatch(/550 .*no such user here/);
  expect(server.accepted.flatMap((message) => message.to).sort()).toEqual([
    "a@example.com",
    "b@example.com",
    "c@example.com",
  ]);
});

test("an unreachable server makes every job fail with the reason, and none hang", async () => {
  const outbox = await openTo(`smtp://127.0.0.1:${await freePort()}`);
  const queue = new AsyncJobQueue();
  queue.pushAll(to("a@example.com", "b@example.com", "c@example.com").map((digest) => jobOf(digest, outbox)));
  const report = await queue.drain({ concurrency: 3 });
  expect(report.completed).toEqual([]);
  expect(report.failed.map(({ error }) => error.message)).toEqual(
    Array.from({ length: 3 }, () => expect.stringContaining("ECONNREFUSED")),
  );
});

test("a password in the URL does not show in a failure", async () => {
  const server = await startMailServer();
  const outbox = await openTo(server.url.replace("smtp://", "smtp://user:verysecret@"));
  const error: unknown = await jobOf(digestOf(), outbox)
    .run(signal)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(String((error as Error).stack)).not.toContain("verysecret");
});

test("a signal that is aborted before the run prevents all work", async () => {
  const server = await startMailServer();
  const outbox = await openTo(server.url);
  const reason = new Error("stop");
  await expect(jobOf(digestOf(), outbox).run(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(server.accepted).toEqual([]);
});

test("jobs whose signal is aborted while the server keeps them waiting are cancelled, and the rest do not start", async () => {
  const server = await startMailServer({ acceptsAtMost: 1 });
  const outbox = await openTo(server.url);
  const queue = new AsyncJobQueue();
  queue.pushAll(
    to("a@example.com", "b@example.com", "c@example.com", "d@example.com").map((digest) =>
      jobOf(digest, outbox),
    ),
  );
  const stopping = new AbortController();
  const draining = queue.drain({ concurrency: 2, signal: stopping.signal });
  await expect.poll(() => server.waiting).toBe(2);
  const abortedAt = performance.now();
  stopping.abort(new Error("stop"));
  const report = await draining;
  // The socket's own timeout would take 30 seconds.
  expect(performance.now() - abortedAt).toBeLessThan(25_000);
  expect(report).toMatchObject({
    completed: ["send_digest"],
    failed: [],
    cancelled: ["send_digest", "send_digest"],
    wasAborted: true,
  });
  expect(queue.size).toBe(1);
});
