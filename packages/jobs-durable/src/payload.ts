import { describe } from "@nidus/jobs-core";
import { PayloadError } from "./errors.ts";

/** A job carries what its handler needs to find the rest: more than this belongs in a store of its own. */
export const maxPayloadBytes: number = 1024 * 1024;

/** Far beyond what people write, and far below what overflows a stack. */
const maxDepth = 500;

/**
 * The JSON text of a payload, once it is known that parsing it gives the same value back. A property that is `undefined`
 * counts as absent; a payload that is `undefined` has no text.
 *
 * @throws PayloadError with the path of what JSON would change or drop, or for more than 1 MiB.
 */
export function payloadText(payload: unknown): string | undefined {
  if (payload === undefined) return undefined;
  requireJson(payload, "payload", []);
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPayloadBytes) {
    throw new PayloadError(`expected a payload of at most ${maxPayloadBytes} bytes of JSON, got ${bytes}`);
  }
  return text;
}

/**
 * For stores that are PostgreSQL's: its `jsonb` holds neither the null character nor half of a surrogate pair.
 *
 * @throws PayloadError
 */
export function requireJsonb(text: string): void {
  // In JSON text either stands as an escape, behind an even number of backslashes.
  const match = /(?<!\\)(?:\\\\)*(\\u(?:0000|d[89a-f][0-9a-f]{2}))/.exec(text);
  if (match) {
    throw new PayloadError(
      `expected a payload that PostgreSQL can store, got one with the character ${match[1]}`,
    );
  }
}

function requireJson(value: unknown, path: string, parents: readonly object[]): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refused(path, value);
    return;
  }
  if (typeof value !== "object") throw refused(path, value);
  if (parents.includes(value)) throw new PayloadError(`expected \`${path}\` to be JSON, got a cycle`);
  if (parents.length === maxDepth) {
    throw new PayloadError(`expected \`payload\` to be at most ${maxDepth} levels deep, got more`);
  }
  const within = [...parents, value];
  if (Array.isArray(value)) {
    // By index: what is missing in a sparse array would come back as null.
    for (let index = 0; index < value.length; index++) requireJson(value[index], `${path}[${index}]`, within);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw refused(path, value);
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw new PayloadError(`expected \`${path}\` to be JSON, got a key that is a symbol`);
  }
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) requireJson(member, pathTo(path, key), within);
  }
}

function pathTo(path: string, key: string): string {
  return /^[\w$]+$/.test(key) ? `${path}.${key}` : `${path}[${describe(key)}]`;
}

function refused(path: string, value: unknown): PayloadError {
  const kind =
    typeof value === "object" && value !== null
      ? `an instance of ${String((value.constructor as { name?: unknown } | undefined)?.name ?? "a class")}`
      : `${typeof value === "undefined" ? "" : `the ${typeof value} `}${describe(value)}`;
  return new PayloadError(`expected \`${path}\` to be JSON, got ${kind}`);
}
