import { createHash, randomUUID } from "node:crypto";

/** How many ids of one millisecond ascend: twelve bits. */
const maxSequence = 0xfff;

let lastMs = -1;
/** The part of the id that says the time. */
let lastTime = "";
let sequence = 0;

/**
 * A UUID (version 7) that sorts behind all that this process made before: stores that order jobs of one moment by id keep the
 * order in which they were enqueued.
 */
export function newJobId(): string {
  const nowMs = Math.max(Date.now(), 0);
  sequence = nowMs > lastMs ? 0 : (sequence + 1) & maxSequence;
  if (sequence === 0) {
    lastMs = Math.max(nowMs, lastMs + 1);
    const ms = lastMs.toString(16).padStart(12, "0");
    lastTime = `${ms.slice(0, 8)}-${ms.slice(8)}-7`;
  }
  return lastTime + sequence.toString(16).padStart(3, "0") + randomUUID().slice(18);
}

/**
 * A UUID (version 8) that follows from a job's name and its idempotency key. In a batch, it begins with the position: ids of one
 * batch sort in its order.
 */
export function idFromKey(name: string, key: string, position?: number): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(position === undefined ? [name, key] : [name, key, position]))
    .digest();
  if (position !== undefined) hash.writeUInt32BE(position);
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
