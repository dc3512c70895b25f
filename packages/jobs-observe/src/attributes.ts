import { describe } from "@nidus/jobs-core";

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
  if (typeof added !== "object" || added === null || Array.isArray(added)) {
    throw new TypeError(
      `context: expected a key and a value, or an object of attributes, got ${describe(added)}`,
    );
  }
  for (const [key, value] of Object.entries(added)) {
    if (key === "") throw new TypeError("context: expected the key of an attribute to be a non-empty string");
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw new TypeError(
        `context: expected the attribute ${describe(key)} to be a string, number or boolean, got ${describe(value)}`,
      );
    }
  }
  return Object.freeze({ ...base, ...added });
}
