import { mailsFrom, openProducer, type SideName, type Store } from "./rows/producers.ts";

/** What one process took to store many jobs in one call. */
export interface Stored {
  readonly ms: number;
  /** The highest resident memory of the process during the call, less that before. */
  readonly grownBytes: number;
}

const [store, side, url, jobs] = process.argv.slice(2) as [Store, SideName, string, string];

const producer = await openProducer(store, side, url);
// Opens the connection, and compiles the code.
await producer.many(mailsFrom(0, 1_000));
const mails = mailsFrom(0, Number(jobs));
globalThis.gc?.();
const bytesBefore = process.memoryUsage.rss();
const startMs = performance.now();
await producer.many(mails);
const stored: Stored = {
  ms: performance.now() - startMs,
  grownBytes: process.resourceUsage().maxRSS * 1024 - bytesBefore,
};
process.stdout.write(JSON.stringify(stored));
await producer.close();
