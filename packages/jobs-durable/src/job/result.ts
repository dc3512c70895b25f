import { PayloadError } from "../errors/errors.ts";
import { payloadText, requireJsonb } from "./payload.ts";
import { storableMessage } from "./storable.ts";

/** The only member of the JSON that stands for a result that was refused: why. */
const refusal = "nidusRefusedResult";

/**
 * Returns the JSON text to store of what a handler has returned. It never throws: a result that is no JSON, or too long, becomes a text
 * that says so. Undefined if there is no result.
 */
export function resultText(result: unknown, takesNullCharacters: boolean): string | undefined {
  try {
    const text = payloadText(result, "result");
    if (text !== undefined && !takesNullCharacters) requireJsonb(text, "result");
    return text;
  } catch (error) {
    const why = PayloadError.isInstance(error)
      ? storableMessage(error)
      : "expected a result that can be read";
    return JSON.stringify({ [refusal]: why });
  }
}

/**
 * Returns the result of a stored text.
 *
 * @throws TypeError for a result that was refused, or a text that is no JSON.
 */
export function resultFrom(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  let result: unknown;
  try {
    result = JSON.parse(text);
  } catch (cause) {
    throw new TypeError("the job succeeded, and its stored result is no JSON", { cause });
  }
  const why =
    typeof result === "object" && result !== null ? (result as Record<string, unknown>)[refusal] : undefined;
  if (typeof why === "string")
    throw new TypeError(`the job succeeded, and its result was not stored: ${why}`);
  return result;
}
