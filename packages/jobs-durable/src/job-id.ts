import { createHash } from "node:crypto";

/** A UUID (version 8) that follows from a job's name and its idempotency key, and from the position in a batch. */
export function idFromKey(name: string, key: string, position?: number): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(position === undefined ? [name, key] : [name, key, position]))
    .digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
