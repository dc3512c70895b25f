import { z } from "zod";
import type { Digest } from "./digest.ts";

/** A digest in the form that engines store: JSON. */
export interface DigestPayload {
  readonly authorName: string;
  readonly authorEmail: string;
  readonly week: string;
  readonly commits: {
    readonly hash: string;
    /** ISO 8601. */
    readonly authoredAt: string;
    readonly subject: string;
  }[];
  readonly unlisted: number;
}

/** Checks a payload when it is enqueued and when it is delivered. Another version of this program may have enqueued it. */
export const digestSchema: z.ZodType<Digest, DigestPayload> = z.object({
  authorName: z.string(),
  authorEmail: z.string(),
  week: z.string(),
  commits: z.array(
    z.object({ hash: z.string(), authoredAt: z.string().pipe(z.coerce.date()), subject: z.string() }),
  ),
  unlisted: z.int().nonnegative(),
});

/** How many bytes of JSON the listed commits may take. Engines store up to 1 MiB per job, including the rest of the digest. */
const maxListedBytes = 768 * 1024;

/** How many characters of a subject to keep. Subjects are untrusted and may be as long as a book. */
const maxSubjectCharacters = 10_000;

/** How many characters of a name or address to keep. */
const maxNameCharacters = 1_000;

/** Makes the payload of a digest. If a week has more commits than a job can hold, the last ones are only counted. */
export function payloadOf({ authorName, authorEmail, week, commits }: Digest): DigestPayload {
  const listed: DigestPayload["commits"] = [];
  let bytes = 0;
  for (const { hash, authoredAt, subject } of commits) {
    const commit = {
      hash,
      authoredAt: authoredAt.toISOString(),
      subject: shortened(subject, maxSubjectCharacters),
    };
    bytes += Buffer.byteLength(JSON.stringify(commit)) + 1;
    if (bytes > maxListedBytes) break;
    listed.push(commit);
  }
  return {
    authorName: shortened(authorName, maxNameCharacters),
    authorEmail: shortened(authorEmail, maxNameCharacters),
    week,
    commits: listed,
    unlisted: commits.length - listed.length,
  };
}

/** Cuts a text without splitting a surrogate pair: PostgreSQL refuses half of one. */
function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, maxCharacters - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
