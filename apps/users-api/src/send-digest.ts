import { type DurableJob, defineJob, PermanentJobError } from "@nidus/jobs-durable";
import type { Tracer } from "@opentelemetry/api";
import validator from "validator";
import type { Digest } from "./digest.ts";
import { type DigestPayload, digestSchema } from "./digest-payload.ts";
import type { Message, Outbox } from "./outbox.ts";

/** The name of the job. */
export const sendDigestName = "send_digest";

type Addressee = Pick<Digest, "authorName" | "authorEmail">;

/**
 * The author's address cannot receive mail. Histories have such authors: the failure is expected, and no further
 * attempt helps.
 */
export class UnusableAddressError extends PermanentJobError {
  static {
    UnusableAddressError.prototype.name = "UnusableAddressError";
  }

  constructor({ authorName, authorEmail }: Addressee) {
    super(oneLine(`${authorName || "an author without a name"} has no usable address: "${authorEmail}"`));
  }
}

/**
 * Makes the job that composes one author's digest of one week and delivers it. Running it again replaces the message,
 * so an engine may deliver it more than once.
 */
export function sendDigest(outbox: Outbox, tracer: Tracer): DurableJob<DigestPayload, Digest> {
  const step = <T>(name: string, run: () => Promise<T>): Promise<T> =>
    tracer.startActiveSpan(name, async (span) => {
      try {
        return await run();
      } finally {
        span.end();
      }
    });

  return defineJob({
    name: sendDigestName,
    schema: digestSchema,
    /** Resolves to the path of the message. */
    async run(digest, { signal }) {
      signal.throwIfAborted();
      requireUsableAddress(digest);
      const message = messageOf(digest);
      const composed = await step("compose", () => outbox.compose(message));
      return step("deliver", () => outbox.deliver(message, composed, signal)).catch(rethrow);
    },
  });
}

/** Does not retry if a mail server refuses for good: SMTP uses 5xx for that. */
function rethrow(error: unknown): never {
  const { responseCode = 0, message } = error as { responseCode?: number; message: string };
  throw responseCode >= 500 ? new PermanentJobError(message, { cause: error }) : error;
}

/** @throws UnusableAddressError unless every mail server takes the address, in a header that nothing can be smuggled into. */
export function requireUsableAddress(addressee: Addressee): void {
  const { authorEmail } = addressee;
  const isEmail = validator.isEmail(authorEmail, { allow_utf8_local_part: false });
  if (!isEmail || oneLine(authorEmail) !== authorEmail) throw new UnusableAddressError(addressee);
}

/** Replaces control characters, including line breaks, with spaces. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

function messageOf({ authorName, authorEmail, week, commits, unlisted = 0 }: Digest): Message {
  const total = commits.length + unlisted;
  const count = total === 1 ? "1 commit" : `${total} commits`;
  const lines = commits.map(
    ({ hash, authoredAt, subject }) =>
      `${authoredAt.toISOString().slice(0, 16).replace("T", " ")}  ${hash.slice(0, 10)}  ${subject}`,
  );
  if (unlisted > 0) lines.push(`and ${unlisted} more`);
  return {
    to: { name: authorName, address: authorEmail },
    subject: `Your week ${week}: ${count}`,
    text: `Hello ${authorName || authorEmail},\n\nthis is what you committed in week ${week} (times are UTC):\n\n${lines.join("\n")}\n`,
    key: `${week}_${authorEmail}`,
  };
}
