import { createHash } from "node:crypto";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { writePrivately } from "./private-file.ts";

/** A message before it is composed. */
export interface Message {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  /** Names the message within the outbox. Composing the message again gives the same key. */
  readonly key: string;
}

const sender = { name: "users-api", address: "digests@users-api.example" };
const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });

/** Writes each message into a folder as an `.eml` file, and sends it if there is a mail server. */
export class Outbox {
  readonly #folder: string;
  readonly #smtp: ReturnType<typeof smtpTransport> | undefined;

  /** @throws Error if the URL is invalid. */
  constructor(folder: string, smtpUrl: string | undefined) {
    this.#folder = folder;
    this.#smtp = smtpUrl === undefined ? undefined : smtpTransport(smtpUrl);
  }

  /** Composes a message in the format of RFC 5322. */
  async compose({ to, subject, text, key }: Message): Promise<Buffer> {
    const messageId = `<${hashOf(key)}@users-api.example>`;
    const { message } = await composer.sendMail({ from: sender, to, subject, text, messageId });
    return message as Buffer;
  }

  /** Writes a message to its file, and sends it. Resolves to the path. Doing it again replaces the file. */
  async deliver({ to, key }: Message, composed: Buffer, signal: AbortSignal): Promise<string> {
    // The hash keeps keys apart whose readable parts are equal.
    const readable = key.replace(/[^a-zA-Z0-9.@-]+/g, "_").slice(0, 80);
    const path = join(this.#folder, `${readable}-${hashOf(key).slice(0, 8)}.eml`);
    await writePrivately(path, composed, signal);
    const envelope = { from: sender.address, to: to.address };
    await this.#smtp?.sendMail({ envelope, raw: composed, signal });
    return path;
  }

  close(): void {
    this.#smtp?.close();
  }
}

function smtpTransport(url: string) {
  if (!/^smtps?:/.test(url) || !URL.canParse(url)) {
    throw new Error("SMTP_URL is expected to be a URL such as smtp://127.0.0.1:25");
  }
  return createTransport({ url, pool: true, connectionTimeout: 10_000, socketTimeout: 30_000 });
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 32);
}
