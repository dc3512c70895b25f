import { type DurableJob, defineJob, PermanentJobError } from "@nidus/jobs-durable";
import type { Tracer } from "@opentelemetry/api";
import { z } from "zod";
import { type Digest, digestSchema } from "./digest.ts";
import type { Message, Outbox } from "./outbox.ts";

/** The author's address cannot receive mail. Histories have such authors: the failure is expected, and no retry helps. */
export class UnusableAddressError extends PermanentJobError {
  static {
    UnusableAddressError.prototype.name = "UnusableAddressError";
  }

  constructor({ authorName, authorEmail }: Digest) {
    const author = `${authorName} <${authorEmail}>`.replace(/\p{Cc}+/gu, " ");
    super(`no usable address: "${author}"`);
  }
}

/** Makes the job that composes one author's digest of one day and delivers it. Running it again replaces the message. */
export function sendDigest(outbox: Outbox, tracer: Tracer): DurableJob<Digest> {
  const step = <T>(name: string, run: () => Promise<T>): Promise<T> =>
    tracer.startActiveSpan(name, (span) => run().finally(() => span.end()));

  return defineJob({
    name: "send_digest",
    schema: digestSchema,
    objectives: { finishWithinMs: 60_000 },
    /** Resolves to the path of the message. */
    async run(digest, { signal }) {
      signal.throwIfAborted();
      if (!z.email().safeParse(digest.authorEmail).success) throw new UnusableAddressError(digest);
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

function messageOf({ authorName, authorEmail, day, commits, unlisted }: Digest): Message {
  const total = commits.length + unlisted;
  const lines = commits.map(
    ({ hash, authoredAt, subject }) => `${authoredAt.slice(11, 16)}  ${hash.slice(0, 10)}  ${subject}`,
  );
  if (unlisted > 0) lines.push(`and ${unlisted} more`);
  return {
    to: { name: authorName, address: authorEmail },
    subject: `Your day ${day}: ${total === 1 ? "1 commit" : `${total} commits`}`,
    text: `Hello ${authorName || authorEmail},\n\nthis is what you committed on ${day} (times are UTC):\n\n${lines.join("\n")}\n`,
    key: `${day}_${authorEmail}`,
  };
}
