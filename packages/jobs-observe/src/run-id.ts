import { describe } from "@nidus/jobs-core";
import { warn } from "./warning.ts";

/** A random UUID (version 4). */
export function randomRunId(): string {
  return crypto.randomUUID();
}

/**
 * A source of run ids that cannot fail: what `generate` throws, or returns other than a non-empty string, is warned about
 * once, and a random UUID takes its place.
 */
export function safeRunIds(generate: () => string): () => string {
  let isWarned = false;
  return () => {
    try {
      const id: unknown = generate();
      if (typeof id === "string" && id !== "") return id;
      throw new TypeError(`expected the run id to be a non-empty string, got ${describe(id)}`);
    } catch (error) {
      if (!isWarned) warn("the generator of run ids failed; random ids are used instead", error);
      isWarned = true;
      return randomRunId();
    }
  };
}
