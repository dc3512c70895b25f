import { createHash } from "node:crypto";

/** A UUID (version 8) that follows from a job's name and its idempotency key. */
export function idFromKey(name: string, key: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([name, key]))
    .digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
