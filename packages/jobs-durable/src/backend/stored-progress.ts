import { parsedJson } from "./parsed-json.ts";
import type { StoredJobProgress } from "./stored-job.ts";

/** Reads a stored progress from JSON text or a parsed value, of any origin. Undefined for a value of another shape. */
export function storedProgressFrom(stored: unknown): StoredJobProgress | undefined {
  const value = parsedJson(stored);
  if (typeof value !== "object" || value === null) return undefined;
  const { fraction, note } = value as Record<string, unknown>;
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) return undefined;
  return typeof note === "string" ? { fraction, note } : { fraction };
}
