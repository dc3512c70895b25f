import { readdir, readFile } from "node:fs/promises";
import type { AsyncJob } from "@nidus/jobs-core";
import { trace } from "@opentelemetry/api";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { expect, onTestFinished, test } from "vitest";
import type { Digest } from "../../src/jobs/digest.ts";
import { Outbox } from "../../src/jobs/outbox.ts";
import { sendDigest, UnusableAddressError } from "../../src/jobs/send-digest.ts";
import { digestOf } from "../support/digests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const { signal } = new AbortController();
const tracer = trace.getTracer("test");

async function openIn(folder: string, smtpUrl?: string): Promise<Outbox> {
  const outbox = new Outbox(folder, smtpUrl);
  onTestFinished(() => outbox.close());
  return outbox;
}

interface SendDigest extends AsyncJob<string> {
  run(signal: AbortSignal): Promise<string>;
}

/** The job in an AsyncJobQueue, with the digest as an engine stores it. */
const jobOf = (digest: Digest, outbox: Outbox) => sendDigest(outbox, tracer).with(digest) as SendDigest;

test("a digest becomes a message to its author with every commit of the day", async () => {
  const outbox = await openIn(await temporaryFolder());
  const commits = [
    { hash: "a".repeat(40), subject: "first", authoredAt: "2024-01-03T00:00:00.000Z" },
    { hash: "b".repeat(40), subject: "Größe geändert = 100%", authoredAt: "2024-01-03T08:05:00.000Z" },
    { hash: "c".repeat(40), subject: "x".repeat(500), authoredAt: "2024-01-03T23:59:59.000Z" },
  ];
  const digest = digestOf({
    authorName: "Zoë Ångström",
    authorEmail: "zoe@example.com",
    commits,
    unlisted: 2,
  });
  const mail = await simpleParser(await readFile(await jobOf(digest, outbox).run(signal)));
  expect([mail.to].flat().flatMap((to) => to?.value)).toEqual([
    { name: "Zoë Ångström", address: "zoe@example.com" },
  ]);
  expect(mail.subject).toBe("Your day 2024-01-03: 5 commits");
  expect(mail.text?.trimEnd().split("\n")).toEqual([
    "Hello Zoë Ångström,",
    "",
    "this is what you committed on 2024-01-03 (times are UTC):",
    "",
    "00:00  aaaaaaaaaa  first",
    "08:05  bbbbbbbbbb  Größe geändert = 100%",
    `23:59  cccccccccc  ${"x".repeat(500)}`,
    "and 2 more",
  ]);
});

test("one commit is counted as one, and an author without a name is greeted by address", async () => {
  const outbox = await openIn(await temporaryFolder());
  const mail = await simpleParser(
    await readFile(await jobOf(digestOf({ authorName: "" }), outbox).run(signal)),
  );
  expect(mail.subject).toBe("Your day 2024-01-03: 1 commit");
  expect(mail.text).toMatch(/^Hello ada@example\.com,\n/);
});

test("running it twice replaces the message, and another day has its own", async () => {
  const folder = await temporaryFolder();
  const outbox = await openIn(folder);
  for (const digest of [digestOf(), digestOf(), digestOf({ day: "2024-01-04" })])
    await jobOf(digest, outbox).run(signal);
  expect(await readdir(folder)).toHaveLength(2);
});

test("no author name or subject can add a recipient or a header field", async () => {
  const outbox = await openIn(await temporaryFolder());
  const injection = fc
    .array(
      fc.constantFrom("\r\n", "\n", "\r", "Bcc: eve@example.com", "\r\n\r\n", "a", ",", "<eve@example.com>"),
      { maxLength: 10 },
    )
    .map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(injection, injection, async (authorName, subject) => {
      const path = await jobOf(
        digestOf({
          authorName,
          commits: [{ hash: "a".repeat(40), authoredAt: "2024-01-03T12:00:00.000Z", subject }],
        }),
        outbox,
      ).run(signal);
      const mail = await simpleParser(await readFile(path));
      expect([mail.to].flat().flatMap((to) => to?.value.map(({ address }) => address))).toEqual([
        "ada@example.com",
      ]);
      expect([mail.bcc, mail.cc, mail.replyTo]).toEqual([undefined, undefined, undefined]);
      expect(mail.subject).toBe("Your day 2024-01-03: 1 commit");
    }),
    { numRuns: 50 },
  );
});

test.each([
  "",
  "root@localhost",
  "not an address",
  "@example.com",
  "ada@",
  "ada@example.com, eve@example.com",
  "ada@example.com\r\nBcc: eve@example.com",
  '"ada\r\nBcc: eve@example.com"@example.com',
  "ada@@example.com",
  "ada@[127.0.0.1]",
])(
  "the address %j is unusable: the job fails and names the author, and nothing is written",
  async (authorEmail) => {
    const folder = await temporaryFolder();
    const outbox = await openIn(folder);
    const error: unknown = await jobOf(digestOf({ authorEmail }), outbox)
      .run(signal)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnusableAddressError);
    expect((error as Error).message).toMatch(/^no usable address: "Ada Lovelace </);
    expect(await readdir(folder)).toEqual([]);
  },
);

test("the failure shows the address unchanged, also without a name", async () => {
  const outbox = await openIn(await temporaryFolder());
  await expect(
    jobOf(digestOf({ authorName: "", authorEmail: "root@localhost" }), outbox).run(signal),
  ).rejects.toThrow('no usable address: " <root@localhost>"');
});

test("the failure is one line without control characters, for any name", async () => {
  const outbox = await openIn(await temporaryFolder());
  const digest = digestOf({ authorName: "Eve\u001b[31m\u0007", authorEmail: "\u001b]0;title\u0007" });
  const error: unknown = await jobOf(digest, outbox)
    .run(signal)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnusableAddressError);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u007f]/);
});

test.each(["12345+ada@users.noreply.github.com", "o'brien@example.co.uk", "a.b-c_d@sub.example.museum"])(
  "the address %j is usable",
  async (authorEmail) => {
    const outbox = await openIn(await temporaryFolder());
    const mail = await simpleParser(
      await readFile(await jobOf(digestOf({ authorEmail }), outbox).run(signal)),
    );
    expect([mail.to].flat().flatMap((to) => to?.value.map(({ address }) => address))).toEqual([authorEmail]);
  },
);

test("a local part beyond ASCII is unusable, or the message is plain RFC 5322", async () => {
  const outbox = await openIn(await temporaryFolder());
  const outcome: unknown = await jobOf(digestOf({ authorEmail: "jörg@example.com" }), outbox)
    .run(signal)
    .then((path) => readFile(path, "latin1"))
    .catch((reason: unknown) => reason);
  if (typeof outcome === "string") expect(outcome).toMatch(/^[\t\r\n -~]*$/);
  else expect(outcome).toBeInstanceOf(UnusableAddressError);
});
