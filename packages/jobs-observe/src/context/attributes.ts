import { invalidArgument, requireObject, requireText } from "@nidus/jobs-core/adapter";

/** Facts that the application adds to a run, such as a request id. Keys are plain data: any text is allowed. */
export type JobAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Returns a frozen copy of `base` with `added` on top.
 *
 * @throws TypeError for an empty key, or for a value that is not a string, number or boolean.
 */
export function withAttributes(base: JobAttributes, added: JobAttributes): JobAttributes {
  requireObject("the context", added);
  for (const [key, value] of Object.entries(added)) {
    requireText("the key", key);
    if (/^(string|number|boolean)$/.test(typeof value)) continue;
    throw invalidArgument(`the attribute "${key}"`, "a string, number or boolean", value);
  }
  return Object.freeze({ ...base, ...added });
}
