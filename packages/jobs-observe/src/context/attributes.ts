import { invalidArgument, requireObject, requireText } from "@nidus/jobs-core/adapter";

/** Facts about a run that the application adds, such as a request id. Keys are data, whatever they are called. */
export type JobAttributes = Readonly<Record<string, string | number | boolean>>;

/** No attributes. */
export const noAttributes: JobAttributes = Object.freeze({});

/**
 * A frozen copy of `base` with `added` on top.
 *
 * @throws TypeError for an empty key, or a value that is no string, number or boolean.
 */
export function withAttributes(base: JobAttributes, added: JobAttributes): JobAttributes {
  requireObject("the context", added);
  for (const [key, value] of Object.entries(added)) {
    requireText("the key", key);
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw invalidArgument(`the attribute "${key}"`, "a string, number or boolean", value);
    }
  }
  return Object.freeze({ ...base, ...added });
}
