import { carrierFrom } from "@nidus/jobs-durable/backend";

/**
 * Makes the text of the headers that a retry or a snooze stores in the job's hash, with the attempt that they are for. BullMQ
 * keeps the field until the next of these writes it, also if the attempt stalls.
 */
export function carrierText(
  carrier: Readonly<Record<string, string>> | undefined,
  attempt: number,
): string | undefined {
  return carrier && `${attempt} ${JSON.stringify(carrier)}`;
}

/** Reads the headers that are for an attempt. Returns undefined if there are none. */
export function carrierOf(text: string | undefined, attempt: number): Record<string, string> | undefined {
  const prefix = `${attempt} `;
  return text?.startsWith(prefix) ? carrierFrom(text.slice(prefix.length)) : undefined;
}
