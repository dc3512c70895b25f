import { createHash, randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DigestPayload } from "./digest-payload.ts";

/** A run of all digests that is not finished: what the next process needs to go on with it. */
export interface UnfinishedRun {
  /** Its jobs' idempotency keys begin with it, so that enqueuing them again enqueues what is missing. */
  readonly runId: string;
  /** A hash of all its digests: after another commit, they are those of another run. */
  readonly digestsHash: string;
}

/** Notes in a folder which run is under way there. It is there from before the first job is enqueued until nothing is left. */
export class RunFile {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, "run.json");
  }

  /** The run that is under way, if there is one. What cannot be read counts as none. */
  async read(): Promise<UnfinishedRun | undefined> {
    try {
      const noted = JSON.parse(await readFile(this.#path, "utf8")) as Partial<UnfinishedRun> | null;
      const { runId, digestsHash } = noted ?? {};
      return typeof runId === "string" && typeof digestsHash === "string"
        ? { runId, digestsHash }
        : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT")
        return undefined;
      throw error;
    }
  }

  /** Notes a new run in the place of the one that is given, and resolves to it, or to the one that another process was quicker with. */
  async begin(digestsHash: string, previous: UnfinishedRun | undefined): Promise<UnfinishedRun> {
    const run = { runId: randomUUID(), digestsHash };
    const draft = `${this.#path}.${run.runId}`;
    await writeFile(draft, `${JSON.stringify(run)}\n`, { flag: "wx", mode: 0o600 });
    try {
      if (previous !== undefined) await this.finish(previous);
      // Unlike a rename, a link never replaces what is there.
      await link(draft, this.#path);
      return run;
    } catch (error) {
      const other = (error as NodeJS.ErrnoException).code === "EEXIST" ? await this.read() : undefined;
      if (other?.digestsHash === digestsHash) return other;
      // It says nothing that anybody could go on with.
      await rename(draft, this.#path);
      return run;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Removes the note of a run, unless it is another's by now. */
  async finish({ runId }: UnfinishedRun): Promise<void> {
    if ((await this.read())?.runId === runId) await rm(this.#path, { force: true });
  }
}

/** The same for the same digests in the same order, and for no others. */
export function hashOf(payloads: readonly DigestPayload[]): string {
  const hash = createHash("sha256");
  for (const payload of payloads) hash.update(`${JSON.stringify(payload)}\n`);
  return hash.digest("hex");
}
