import { describe } from "@nidus/jobs-core";

/** A process warning, which shows on stderr and can be silenced or listened to like any other of Node's. */
export function warn(message: string, error: unknown): void {
  let detail: string | undefined;
  try {
    detail = (error as Error).stack;
  } catch {
    // It has none that can be read.
  }
  process.emitWarning(`${message}: ${describe(error)}`, { type: "NidusWarning", detail });
}
