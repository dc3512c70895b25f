import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer, type SMTPServerError } from "smtp-server";
import { onTestFinished } from "vitest";

/** A received message. */
interface ReceivedMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: Buffer;
}

/** How the server behaves. */
export interface MailServerOptions {
  /** Refuses a recipient with 550 and this text. @default none is refused */
  readonly refusal?: (address: string) => string | undefined;
  /** How many messages are accepted at once; further ones wait for `answerAll`. @default Infinity */
  readonly acceptsAtMost?: number;
}

/** A real SMTP server on loopback. */
export interface MailServer {
  readonly url: string;
  readonly accepted: readonly ReceivedMessage[];
  /** How many received messages wait for their answer. */
  readonly waiting: number;
  /** Accepts the waiting messages, and all later ones. */
  answerAll(): void;
}

/** Starts a server that ends with the test. */
export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { refusal = () => undefined } = options;
  let { acceptsAtMost = Number.POSITIVE_INFINITY } = options;
  const accepted: ReceivedMessage[] = [];
  const waiting: (() => void)[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    // Logins are refused.
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    onRcptTo({ address }, _session, callback) {
      const text = refusal(address);
      if (text === undefined) return callback();
      const error: SMTPServerError = new Error(text);
      error.responseCode = 550;
      callback(error);
    },
    async onData(stream, { envelope }, callback) {
      const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
      // A client that ends in the middle of a message has sent none.
      const content = await buffer(stream).catch(() => undefined);
      if (content === undefined) return;
      const message = { from, to: envelope.rcptTo.map(({ address }) => address), content };
      const accept = (): void => {
        accepted.push(message);
        callback();
      };
      if (accepted.length < acceptsAtMost) accept();
      else waiting.push(accept);
    },
  });
  // Some tests end a client in the middle of a message.
  server.on("error", () => {});
  const listener = server.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => new Promise((resolve) => server.close(resolve)));
  return {
    url: `smtp://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    accepted,
    get waiting() {
      return waiting.length;
    },
    answerAll() {
      acceptsAtMost = Number.POSITIVE_INFINITY;
      for (const accept of waiting.splice(0)) accept();
    },
  };
}
