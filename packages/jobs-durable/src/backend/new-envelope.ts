import { isStorable } from "../job/storable.ts";
import type { JobEnvelope } from "./job-backend.ts";

/** What is stored of a job: its payload as text, the headers that observers have written, and what it is found by. */
export function envelopeOf(
  text: string | undefined,
  written: Readonly<Record<string, unknown>>,
  correlationId: string | undefined,
): JobEnvelope {
  const carrier: Record<string, string> = {};
  for (const key of Object.keys(written)) {
    // Observers are anybody's: what is no text that every store takes is left out, and so is what cannot be read.
    const value = readHeader(written, key);
    if (typeof value === "string" && isStorable(key) && isStorable(value)) carrier[key] = value;
  }
  return {
    ...(text !== undefined && { payload: JSON.parse(text) as unknown }),
    ...(Object.keys(carrier).length > 0 && { carrier }),
    ...(correlationId !== undefined && { correlationId }),
  };
}

function readHeader(written: Readonly<Record<string, unknown>>, key: string): unknown {
  try {
    return written[key];
  } catch {
    return undefined;
  }
}
