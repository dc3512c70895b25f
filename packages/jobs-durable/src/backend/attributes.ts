import { invalidArgument, invalidNumber, requireText } from "@nidus/jobs-core/adapter";
import type { JobAttributes } from "@nidus/jobs-observe";
import { isStorable } from "../job/storable.ts";

/** Attributes come with every delivery, and observers may keep them: they are few and short. */
const most = { attributes: 32, keyCharacters: 128, bytes: 2_048 };

/**
 * Returns a copy of the attributes of an enqueue.
 *
 * @throws TypeError for a key or a value of a wrong kind, RangeError for too many or too long ones.
 */
export function requireAttributes(attributes: JobAttributes): JobAttributes {
  if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes)) {
    throw invalidArgument("`attributes`", "an object", attributes);
  }
  const entries = Object.entries(attributes);
  requireAtMost("`attributes`", most.attributes, "attributes", entries.length);
  for (const [key, value] of entries) {
    requireText("the key of an attribute", key);
    requireAtMost("the key of an attribute", most.keyCharacters, "characters", key.length);
    const what = `the attribute "${key}"`;
    if (!isAttributeValue(value)) {
      // Its text may be a secret.
      throw new TypeError(
        `expected ${what} to be a string, a finite number or a boolean, got ${value === null ? "null" : typeof value}`,
      );
    }
    if (!isStorable(key) || !isStorable(String(value))) {
      throw new TypeError(`expected ${what} to be well-formed text without a null character`);
    }
  }
  const copy = Object.fromEntries(entries);
  requireAtMost("`attributes`", most.bytes, "bytes of JSON", Buffer.byteLength(JSON.stringify(copy)));
  return copy;
}

function requireAtMost(what: string, limit: number, unit: string, count: number): void {
  if (count > limit) throw invalidNumber(what, `at most ${limit} ${unit}`, count);
}

/** Reads stored attributes of any origin. Leaves out what an enqueue would refuse. Returns undefined if nothing is left. */
export function attributesFrom(stored: unknown): JobAttributes | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const entries = Object.entries(stored).filter(([key, value]) => key !== "" && isAttributeValue(value));
  return entries.length === 0 ? undefined : Object.fromEntries(entries.slice(0, most.attributes));
}

function isAttributeValue(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
