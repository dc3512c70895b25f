import { isStorable } from "../job/storable.ts";
import { parsedJson } from "./parsed-json.ts";

/** The most characters of names and values that are stored with a job: W3C baggage has at most 8,192 bytes, and `tracestate` 512. */
const maxCharacters = 16_384;

/**
 * Copies the headers that observers wrote. Observers are untrusted: it leaves out headers that cannot be read or are no text, text
 * that not every store takes, and headers beyond 16,384 characters in all.
 */
export function headersFrom(written: Readonly<Record<string, unknown>>): Record<string, string> {
  const carrier: Record<string, string> = {};
  let characters = 0;
  for (const key of Object.keys(written)) {
    const value = readHeader(written, key);
    if (typeof value !== "string" || !isStorable(key) || !isStorable(value)) continue;
    if (characters + key.length + value.length > maxCharacters) continue;
    characters += key.length + value.length;
    carrier[key] = value;
  }
  return carrier;
}

function readHeader(written: Readonly<Record<string, unknown>>, key: string): unknown {
  try {
    return written[key];
  } catch {
    return undefined;
  }
}

/** Reads headers from a stored object or its JSON text, of any origin. Returns undefined if there are none. */
export function carrierFrom(stored: unknown): Record<string, string> | undefined {
  const value = parsedJson(stored);
  if (typeof value !== "object" || value === null) return undefined;
  const carrier = headersFrom(value as Record<string, unknown>);
  return Object.keys(carrier).length === 0 ? undefined : carrier;
}
