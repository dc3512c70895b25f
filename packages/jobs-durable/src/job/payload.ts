import { formatValue } from "@nidus/jobs-core/adapter";
import { PayloadError } from "../errors/errors.ts";

/** A job carries what its handler needs to find the rest: more than this belongs in a store of its own. */
export const maxPayloadBytes: number = 1024 * 1024;

/** Far beyond what people write, and far below what overflows a stack. */
const maxDepth = 500;

/**
 * The JSON text of a payload, or of another value that is named so in errors, once it is known that parsing it gives the same value back. A
 * property that is `undefined` counts as absent; a payload that is `undefined` has no text.
 *
 * @throws PayloadError with the path of what JSON would change or drop, or for more than 1 MiB.
 */
export function payloadText(payload: unknown, what = "payload"): string | undefined {
  if (payload === undefined) return undefined;
  const text = JSON.stringify(new PayloadCopy(what).of(payload));
  // A character has at most three bytes.
  if (text.length * 3 > maxPayloadBytes) requireSize(Buffer.byteLength(text), what);
  return text;
}

/**
 * For stores that are PostgreSQL's: its `jsonb` holds neither the null character nor half of a surrogate pair.
 *
 * @throws PayloadError
 */
export function requireJsonb(text: string, what = "payload"): void {
  if (!text.includes("\\u")) return;
  // In JSON text either stands as an escape, behind an even number of backslashes.
  const match = /(?<!\\)(?:\\\\)*(\\u(?:0000|d[89a-f][0-9a-f]{2}))/.exec(text);
  if (match) {
    throw new PayloadError(
      `expected a ${what} that PostgreSQL can store, got one with the character ${match[1]}`,
    );
  }
}

function requireSize(bytes: number, what: string): void {
  if (bytes <= maxPayloadBytes) return;
  throw new PayloadError(`expected a ${what} of at most ${maxPayloadBytes} bytes of JSON, got ${bytes}`);
}

/** A copy whose every part was read once, and checked as it was read: what is stored is what was checked. */
class PayloadCopy {
  readonly #what: string;
  /** At least so many bytes of text: a small graph may unfold without end. */
  #bytes = 0;
  /** The objects around the value that is read, and the keys that lead to it. Only an error needs the text of a path. */
  readonly #parents: object[] = [];
  readonly #keys: (string | number)[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  of(value: unknown): unknown {
    this.#count(typeof value === "string" ? value.length + 2 : 1);
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value !== "object") throw refused(this.#path(), value);
    if (this.#parents.includes(value)) throw this.#error("a cycle");
    const depth = this.#parents.length;
    if (depth === maxDepth) {
      throw new PayloadError(`expected \`${this.#what}\` to be at most ${maxDepth} levels deep, got more`);
    }
    this.#parents.push(value);
    try {
      return this.#ofObject(value);
    } catch (error) {
      if (PayloadError.isInstance(error)) throw error;
      this.#keys.length = depth;
      throw this.#error("something that cannot be read", { cause: error });
    } finally {
      this.#parents.pop();
    }
  }

  #ofObject(value: object): unknown {
    const prototype: unknown = Object.getPrototypeOf(value);
    const names = Object.getOwnPropertyNames(value);
    if (Object.getOwnPropertySymbols(value).length > 0) throw this.#error("a key that is a symbol");
    if (Array.isArray(value)) {
      if (!isPlain(Object.getPrototypeOf(prototype))) throw refused(this.#path(), value);
      const elements = Array.from(value, (element, index) => this.#member(index, element));
      // Beside its elements, an array has its length.
      if (names.length > value.length + 1) throw this.#error("an array with properties of its own");
      return elements;
    }
    if (prototype !== null && !isPlain(prototype)) throw refused(this.#path(), value);
    if (names.length > Object.keys(value).length) throw this.#error("a property that is not enumerable");
    const copy: Record<string, unknown> = {};
    for (const key of names) {
      const member = this.#read(value, key);
      if (member === undefined) continue;
      this.#count(key.length + 3);
      const copied = this.#member(key, member);
      // An assignment would set the prototype.
      if (key === "__proto__") Object.defineProperty(copy, key, { value: copied, enumerable: true });
      else copy[key] = copied;
    }
    return copy;
  }

  #member(key: string | number, value: unknown): unknown {
    this.#keys.push(key);
    const copied = this.of(value);
    this.#keys.pop();
    return copied;
  }

  #read(value: object, key: string): unknown {
    try {
      return (value as Record<string, unknown>)[key];
    } catch (cause) {
      this.#keys.push(key);
      throw this.#error("a getter that throws", { cause });
    }
  }

  #error(got: string, options?: ErrorOptions): PayloadError {
    return new PayloadError(`expected \`${this.#path()}\` to be JSON, got ${got}`, options);
  }

  #path(): string {
    return this.#keys.reduce<string>(
      (path, key) => (typeof key === "number" ? `${path}[${key}]` : pathTo(path, key)),
      this.#what,
    );
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > maxPayloadBytes) requireSize(this.#bytes, this.#what);
  }
}

/** Whether a prototype is that of plain objects, in this realm or in another one. */
function isPlain(prototype: unknown): boolean {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf")
  );
}

function pathTo(path: string, key: string): string {
  return /^[\w$]+$/.test(key) ? `${path}.${key}` : `${path}[${formatValue(key)}]`;
}

function refused(path: string, value: unknown): PayloadError {
  const kind = typeof value === "object" ? `an instance of ${className(value)}` : describeKind(value);
  return new PayloadError(`expected \`${path}\` to be JSON, got ${kind}`);
}

function describeKind(value: unknown): string {
  if (value === undefined) return "undefined";
  // Its text may be a secret; NaN and Infinity are none.
  return typeof value === "number" ? `the number ${value}` : `a ${typeof value}`;
}

function className(value: unknown): string {
  try {
    return String((value as object).constructor.name || "a class");
  } catch {
    return "a class";
  }
}
