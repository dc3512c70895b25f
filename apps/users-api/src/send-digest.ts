import type { AsyncJob } from "@nidus/jobs-core";
import type { Tracer } from "@opentelemetry/api";
import validator from "validator";
import type { Digest } from "./digest.ts";
import type { Message, Outbox } from "./outbox.ts";

/** An author whose address nothing can be sent to. Histories have such authors: it is a failure that is expected. */
export class UnusableAddressError extends Error {
  override readonly name = "UnusableAddressError";

  constructor(digest: Digest) {
    super(
      oneLine(
        `${digest.authorName || "an author without a name"} has no usable address: "${digest.authorEmail}"`,
      ),
    );
  }
}

/** Composes one author's digest of one week, and delivers it. Running it again replaces the message. */
export class SendDigest implements AsyncJob<string> {
  readonly name = "send_digest";
  readonly #digest: Digest;
  readonly #outbox: Outbox;
  readonly #tracer: Tracer;

  constructor(digest: Digest, outbox: Outbox, tracer: Tracer) {
    this.#digest = digest;
    this.#outbox = outbox;
    this.#tracer = tracer;
  }

  /** Resolves to where the message went. */
  async run(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (!isUsable(this.#digest.authorEmail)) throw new UnusableAddressError(this.#digest);
    const message = messageOf(this.#digest);
    const composed = await this.#step("compose", () => this.#outbox.compose(message));
    return this.#step("deliver", () => this.#outbox.deliver(message, composed, signal));
  }

  #step<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.#tracer.startActiveSpan(name, async (span) => {
      try {
        return await run();
      } finally {
        span.end();
      }
    });
  }
}

/** An address that every mail server takes, in a header that nothing can be smuggled into. */
function isUsable(address: string): boolean {
  return validator.isEmail(address, { allow_utf8_local_part: false }) && oneLine(address) === address;
}

/** Control characters, line breaks among them, become spaces. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

function messageOf({ authorName, authorEmail, week, commits }: Digest): Message {
  const count = commits.length === 1 ? "1 commit" : `${commits.length} commits`;
  const lines = commits.map(
    ({ hash, authoredAt, subject }) =>
      `${authoredAt.toISOString().slice(0, 16).replace("T", " ")}  ${hash.slice(0, 10)}  ${subject}`,
  );
  return {
    to: { name: authorName, address: authorEmail },
    subject: `Your week ${week}: ${count}`,
    text: `Hello ${authorName || authorEmail},\n\nthis is what you committed in week ${week} (times are UTC):\n\n${lines.join("\n")}\n`,
    key: `${week}_${authorEmail}`,
  };
}
