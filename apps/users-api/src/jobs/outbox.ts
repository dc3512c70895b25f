import { createHash } from "node:crypto";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { UserError } from "../user-error.ts";
import { writePrivately } from "./private-file.ts";

/** A message before it is composed. */
export interface Message {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  /** Names the message within the outbox. Composing the message again gives the same key. */
  readonly key: string;
}

/** Composes and delivers messages. */
export interface Outbox {
  /** Composes a message in the format of RFC 5322. */
  compose(message: Message): Promise<Buffer>;
  /** Writes a message to its file, and sends it if there is a mail server. Resolves to the path. Doing it again replaces the file. */
  deliver(message: Message, composed: Buffer, signal: AbortSignal): Promise<string>;
  close(): void;
}

const sender = { name: "users-api", address: "digests@users-api.example" };

/**
 * Opens an outbox that writes each message into `folder` as an `.eml` file, and sends it if there is an `smtpUrl`.
 *
 * @throws UserError if the URL is invalid.
 */
export function openOutbox(folder: string, smtpUrl: string | undefined): Outbox {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const smtp = smtpUrl === undefined ? undefined : smtpTransport(smtpUrl);
  return {
    async compose({ to, subject, text, key }) {
      const messageId = `<${hashOf(key)}@users-api.example>`;
      const { message } = await composer.sendMail({ from: sender, to, subject, text, messageId });
      return message as Buffer;
    },
    async deliver({ to, key }, composed, signal) {
      const path = join(folder, `${fileKey(key)}.eml`);
      await writePrivately(path, composed, signal);
      const envelope = { from: sender.address, to: to.address };
      await smtp?.sendMail({ envelope, raw: composed, signal });
      return path;
    },
    close: () => smtp?.close(),
  };
}

function smtpTransport(url: string) {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol !== "smtp:" && protocol !== "smtps:") {
    throw new UserError("SMTP_URL is expected to be a URL such as smtp://127.0.0.1:25");
  }
  return createTransport({ url, pool: true, connectionTimeout: 10_000, socketTimeout: 30_000 });
}

/** Returns the readable part of a key, and a hash that keeps keys apart whose readable parts are equal. */
function fileKey(key: string): string {
  const readable = key.replace(/[^a-zA-Z0-9.@-]+/g, "_").slice(0, 80);
  return `${readable}-${hashOf(key).slice(0, 8)}`;
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 32);
}
