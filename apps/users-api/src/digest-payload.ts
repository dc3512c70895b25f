import { z } from "zod";
import type { Digest } from "./digest.ts";

/** A digest as an engine stores it: JSON. */
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

/** What is stored has to fit it when it is enqueued and, by whatever version of this program, when it is delivered. */
export const digestSchema: z.ZodType<Digest, DigestPayload> = z.object({
  authorName: z.string(),
  authorEmail: z.string(),
  week: z.string(),
  commits: z.array(
    z.object({ hash: z.string(), authoredAt: z.string().pipe(z.coerce.date()), subject: z.string() }),
  ),
  unlisted: z.int().nonnegative(),
});

/** Bytes of JSON that the listed commits may have: engines store up to 1 MiB a job, the rest of the digest included. */
const maxListedBytes = 768 * 1024;

/** Characters of a subject, which anybody may have made as long as a book. */
const maxSubjectCharacters = 10_000;

/** Characters of a name or an address. */
const maxNameCharacters = 1_000;

/** The payload of a digest. Of a week with more commits than a job can hold, the last ones are counted and not listed. */
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

/** Without half a surrogate pair at the end, which PostgreSQL refuses. */
function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, maxCharacters - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
