import { open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { expect, onTestFinished, test } from "vitest";
import { type Message, Outbox } from "../../src/jobs/outbox.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const { signal } = new AbortController();

async function openIn(folder: string): Promise<Outbox> {
  const outbox = new Outbox(folder, undefined);
  onTestFinished(() => outbox.close());
  return outbox;
}

function messageOf(content: Partial<Message> = {}): Message {
  return {
    to: { name: "Ada Lovelace", address: "ada@example.com" },
    subject: "Your week",
    text: "Hello\n",
    key: "2024-W01_ada@example.com",
    ...content,
  };
}

/** Returns the head of a message: fields by name in lower case, unfolded. */
function fieldsOf(composed: Buffer): [name: string, value: string][] {
  const text = composed.toString("latin1");
  const head = text.slice(0, text.indexOf("\r\n\r\n")).replace(/\r\n(?=[ \t])/g, "");
  return head.split("\r\n").map((line) => {
    const match = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
    if (match === null) throw new Error(`this is no header field: ${JSON.stringify(line)}`);
    return [match[1]!.toLowerCase(), match[2]!];
  });
}

const fieldNames = [
  "content-transfer-encoding",
  "content-type",
  "date",
  "from",
  "message-id",
  "mime-version",
  "subject",
  "to",
];

test("a composed message can be parsed back: sender, recipient, subject, text and time", async () => {
  const outbox = await openIn(await temporaryFolder());
  const before = Math.floor(Date.now() / 1000) * 1000;
  const mail = await simpleParser(
    await outbox.compose(
      messageOf({
        to: { name: 'Zoë "Q" Ångström, Jr.', address: "zoe@example.com" },
        subject: "Wöche 1: 高橋",
        text: "Ünicode\n.dot\n..dots\n\nlast\n",
      }),
    ),
  );
  expect(mail.from?.value).toEqual([{ name: "users-api", address: "digests@users-api.example" }]);
  expect([mail.to].flat().flatMap((to) => to?.value)).toEqual([
    { name: 'Zoë "Q" Ångström, Jr.', address: "zoe@example.com" },
  ]);
  expect(mail.subject).toBe("Wöche 1: 高橋");
  expect(mail.text?.trimEnd()).toBe("Ünicode\n.dot\n..dots\n\nlast");
  expect(mail.attachments).toEqual([]);
  expect(mail.date?.getTime()).toBeGreaterThanOrEqual(before);
  expect(mail.date?.getTime()).toBeLessThanOrEqual(Date.now());
});

test("it follows RFC 5322: only CRLF, only ASCII, no line over 998, each field once", async () => {
  const outbox = await openIn(await temporaryFolder());
  const long = "ü".repeat(3_000);
  const composed = await outbox.compose(
    messageOf({
      to: { name: long, address: "ada@example.com" },
      subject: long,
      text: `${long}\r\nbare\rand\nmixed\n`,
    }),
  );
  const text = composed.toString("latin1");
  expect(text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  expect(text).toMatch(/^[\t\r\n -~]*$/);
  expect(Math.max(...text.split("\r\n").map((line) => line.length))).toBeLessThanOrEqual(998);
  expect(
    fieldsOf(composed)
      .map(([name]) => name)
      .sort(),
  ).toEqual(fieldNames);
});

test("its Message-ID has one @ between two dot-atoms, as RFC 5322 requires", async () => {
  const outbox = await openIn(await temporaryFolder());
  const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  const dotAtom = `${atom}(\\.${atom})*`;
  const messageId = new Map(fieldsOf(await outbox.compose(messageOf()))).get("message-id");
  expect(messageId).toMatch(new RegExp(`^<${dotAtom}@${dotAtom}>$`));
});

test("the Message-ID follows from the key", async () => {
  const outbox = await openIn(await temporaryFolder());
  const idOf = async (key: string) =>
    new Map(fieldsOf(await outbox.compose(messageOf({ key })))).get("message-id");
  expect(await idOf("one")).toBe(await idOf("one"));
  expect(await idOf("one!")).not.toBe(await idOf("one?"));
});

test("no name, subject or text can add a header field", async () => {
  const outbox = await openIn(await temporaryFolder());
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc
      .array(
        fc.constantFrom(
          "\r\n",
          "\n",
          "\r",
          "Bcc: eve@example.com",
          " ",
          "<",
          ">",
          ",",
          '"',
          "=?utf-8?Q?=0A?=",
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join("")),
  );
  await fc.assert(
    fc.asyncProperty(hostile, hostile, hostile, async (name, subject, text) => {
      const composed = await outbox.compose(
        messageOf({ to: { name, address: "ada@example.com" }, subject, text }),
      );
      const names = fieldsOf(composed).map(([field]) => field);
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((field) => !fieldNames.includes(field))).toEqual([]);
      const mail = await simpleParser(composed);
      expect([mail.to].flat().flatMap((to) => to?.value.map(({ address }) => address))).toEqual([
        "ada@example.com",
      ]);
    }),
  );
});

test("a delivered message is a file in the folder, byte for byte, and the only one", async () => {
  const folder = await temporaryFolder();
  const outbox = await openIn(folder);
  const composed = await outbox.compose(messageOf());
  const path = await outbox.deliver(messageOf(), composed, signal);
  expect(path).toMatch(/^.*\/2024-W01_ada@example\.com-[0-9a-f]{8}\.eml$/);
  expect((await readdir(folder)).map((name) => join(folder, name))).toEqual([path]);
  expect(await readFile(path)).toEqual(composed);
});

test("only its owner can read it", async () => {
  const outbox = await openIn(await temporaryFolder());
  const path = await outbox.deliver(messageOf(), Buffer.from("x"), signal);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("links in place of its files are not followed", async () => {
  const [folder, elsewhere] = [await temporaryFolder(), join(await temporaryFolder(), "theirs")];
  const outbox = await openIn(folder);
  const path = await outbox.deliver(messageOf(), Buffer.from("first"), signal);
  await writeFile(elsewhere, "theirs");
  await symlink(elsewhere, `${path}.part`);
  await rm(path);
  await symlink(elsewhere, path);
  await outbox.deliver(messageOf(), Buffer.from("second"), signal);
  expect(await readFile(elsewhere, "utf8")).toBe("theirs");
  expect(await readFile(path, "utf8")).toBe("second");
});

test("delivering again replaces the file", async () => {
  const folder = await temporaryFolder();
  const outbox = await openIn(folder);
  const deliver = async (text: string) =>
    outbox.deliver(messageOf(), await outbox.compose(messageOf({ text })), signal);
  const [first, second] = [await deliver("first"), await deliver("second")];
  expect(second).toBe(first);
  expect((await simpleParser(await readFile(second))).text?.trim()).toBe("second");
  expect(await readdir(folder)).toHaveLength(1);
});

test("a replaced message stays whole for its readers", async () => {
  const outbox = await openIn(await temporaryFolder());
  const path = await outbox.deliver(messageOf(), Buffer.from("first"), signal);
  const reader = await open(path);
  onTestFinished(() => reader.close());
  await outbox.deliver(messageOf(), Buffer.from("second"), signal);
  expect(await reader.readFile("utf8")).toBe("first");
  expect(await readFile(path, "utf8")).toBe("second");
});

test.each(["../../escape", "/etc/passwd", "a/b", "\0", "x".repeat(5_000), "高橋", ""])(
  "the key %j names a file within the folder",
  async (key) => {
    const folder = await temporaryFolder();
    const outbox = await openIn(folder);
    const path = await outbox
      .deliver(messageOf(), Buffer.from("x"), signal)
      .then(() => outbox.deliver(messageOf({ key }), Buffer.from("y"), signal));
    expect(await readdir(folder)).toHaveLength(2);
    expect(await readFile(join(folder, path.slice(folder.length + 1)), "utf8")).toBe("y");
    expect(path.slice(folder.length + 1)).not.toContain("/");
  },
);

test("keys that look alike in a file name are different files", async () => {
  const folder = await temporaryFolder();
  const outbox = await openIn(folder);
  for (const key of ["a+b@example.com", "a/b@example.com", "a b@example.com"]) {
    await outbox.deliver(messageOf({ key }), Buffer.from(key), signal);
  }
  expect(await readdir(folder)).toHaveLength(3);
});

test("an aborted signal keeps a message from being written", async () => {
  const folder = await temporaryFolder();
  const outbox = await openIn(folder);
  await expect(outbox.deliver(messageOf(), Buffer.from("x"), AbortSignal.abort())).rejects.toThrow(
    expect.objectContaining({ name: "AbortError" }),
  );
  expect(await readdir(folder)).toEqual([]);
});
