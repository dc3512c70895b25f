import { isStorable } from "../job/storable.ts";

/** The part of a job that is stored beside the engine's own columns. It is JSON. */
export interface JobEnvelope {
  /** Absent if the payload was `undefined`. */
  readonly payload?: unknown;
  /** Trace headers and the like, written by the observers of the enqueuing side. */
  readonly carrier?: Readonly<Record<string, string>>;
  /** Set by the enqueuing side, to find related work by. */
  readonly correlationId?: string;
}

/**
 * Returns a function that makes the JSON text of an envelope of the text of a payload. The payload's text stands in it as it is:
 * a payload is turned to text once on its way to a store.
 */
export function envelopeWriter(
  written: Readonly<Record<string, unknown>>,
  correlationId: string | undefined,
): (payload: string | undefined) => string {
  const carrier = headersFrom(written);
  const common = [
    ...(Object.keys(carrier).length > 0 ? [`"carrier":${JSON.stringify(carrier)}`] : []),
    ...(correlationId === undefined ? [] : [`"correlationId":${JSON.stringify(correlationId)}`]),
  ];
  return (payload) => `{${(payload === undefined ? common : [`"payload":${payload}`, ...common]).join(",")}}`;
}

/** Observers are untrusted: headers that cannot be read, and text that not every store takes, are left out. */
function headersFrom(written: Readonly<Record<string, unknown>>): Record<string, string> {
  const carrier: Record<string, string> = {};
  for (const key of Object.keys(written)) {
    const value = readHeader(written, key);
    if (typeof value === "string" && isStorable(key) && isStorable(value)) carrier[key] = value;
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

/** Reads an envelope from stored JSON text or a parsed value, of any origin. Leaves out properties of a wrong shape. */
export function envelopeFrom(stored: unknown): JobEnvelope {
  const value = typeof stored === "string" ? parsed(stored) : stored;
  if (typeof value !== "object" || value === null) return {};
  const { payload, carrier, correlationId } = value as Record<string, unknown>;
  return {
    ...(payload !== undefined && { payload }),
    ...(typeof carrier === "object" && carrier !== null && { carrier: stringsOf(carrier) }),
    ...(typeof correlationId === "string" && { correlationId }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stringsOf(carrier: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(carrier).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
