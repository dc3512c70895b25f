import type { JobAttributes } from "@nidus/jobs-observe";
import { backoffFrom, type JobBackoff } from "../job/backoff.ts";
import { attributesFrom } from "./attributes.ts";
import { headersFrom } from "./carrier.ts";
import type { EnqueueOptions } from "./enqueue-options.ts";
import { parsedJson } from "./parsed-json.ts";

/** The part of a job that is stored beside the engine's own columns. It is JSON. */
export interface JobEnvelope {
  /** Absent if the payload was `undefined`. */
  readonly payload?: unknown;
  /** The size of the payload's JSON text when it was stored, in bytes. */
  readonly payloadBytes?: number;
  /** Trace headers and the like, written by the observers of the enqueuing side. */
  readonly carrier?: Readonly<Record<string, string>>;
  /** Set by the enqueuing side, to find related work by. */
  readonly correlationId?: string;
  /** Set by the enqueuing side, for the runs of the job. */
  readonly attributes?: JobAttributes;
  /** The wait before the next attempt, if it is not that of the job's definition. */
  readonly backoff?: JobBackoff;
}

/** The members of an envelope that its jobs have in common. */
type CommonMembers = Pick<EnqueueOptions, "correlationId" | "attributes" | "backoff">;

/**
 * Returns a function that makes the JSON text of an envelope of the text of a payload. The payload's text stands in it as it is:
 * a payload is turned to text once on its way to a store. It comes last, so that a store can read the rest without it.
 */
export function envelopeWriter(
  written: Readonly<Record<string, unknown>>,
  { correlationId, attributes, backoff }: CommonMembers = {},
): (payload: string | undefined) => string {
  const carrier = headersFrom(written);
  const common = [
    ...(Object.keys(carrier).length > 0 ? [`"carrier":${JSON.stringify(carrier)}`] : []),
    ...memberText("correlationId", correlationId),
    ...memberText("attributes", attributes),
    ...memberText("backoff", backoff),
  ];
  return (payload) => {
    if (payload === undefined) return `{${common.join(",")}}`;
    return `{${[...common, ...memberText("payloadBytes", Buffer.byteLength(payload)), `"payload":${payload}`].join(",")}}`;
  };
}

function memberText(name: string, value: unknown): string[] {
  return value === undefined ? [] : [`"${name}":${JSON.stringify(value)}`];
}

/** Reads an envelope from stored JSON text or a parsed value, of any origin. Leaves out properties of a wrong shape. */
export function envelopeFrom(stored: unknown): JobEnvelope {
  const value = parsedJson(stored);
  if (typeof value !== "object" || value === null) return {};
  const { payload, payloadBytes, carrier, correlationId, attributes, backoff } = value as Record<
    string,
    unknown
  >;
  // Member by member: spreading costs several times as much, for every delivery.
  const envelope: { -readonly [Member in keyof JobEnvelope]: JobEnvelope[Member] } = {};
  if (payload !== undefined) envelope.payload = payload;
  if (typeof carrier === "object" && carrier !== null) envelope.carrier = stringsOf(carrier);
  if (typeof correlationId === "string") envelope.correlationId = correlationId;
  if (typeof payloadBytes === "number" && payloadBytes >= 0) envelope.payloadBytes = payloadBytes;
  const readAttributes = attributes === undefined ? undefined : attributesFrom(attributes);
  if (readAttributes !== undefined) envelope.attributes = readAttributes;
  const readBackoff = backoff === undefined ? undefined : backoffFrom(backoff);
  if (readBackoff !== undefined) envelope.backoff = readBackoff;
  return envelope;
}

/**
 * Reads an envelope without its payload from the beginning of its JSON text. An envelope that this package has written has the
 * payload last.
 */
export function envelopeHeadFrom(beginning: string): JobEnvelope {
  let depth = 0;
  const head = /"payload":/y;
  const token = /"(?:[^"\\]|\\.)*"|[[\]{}]|[^"[\]{}]+/y;
  for (let index = 0; index < beginning.length; ) {
    head.lastIndex = index;
    if (depth === 1 && head.test(beginning))
      return envelopeFrom(`${beginning.slice(0, index).replace(/,$/, "")}}`);
    token.lastIndex = index;
    const text = token.exec(beginning)?.[0];
    if (text === undefined) break;
    if (text === "{" || text === "[") depth++;
    if (text === "}" || text === "]") depth--;
    index += text.length;
  }
  return {};
}

function stringsOf(carrier: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(carrier).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
