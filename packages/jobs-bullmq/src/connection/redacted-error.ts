/** The properties in which ioredis and its parser keep sent and received data, such as payloads and the password of AUTH. */
const revealing = ["command", "buffer"];

/** The properties in which errors keep other errors. */
const nesting = ["cause", "lastNodeError", "errors", "previousErrors"];

/**
 * Removes commands and their arguments from an error of Redis, and from the errors within it. Changes and returns the error
 * itself, so that its class, code and words stay.
 */
export function redacted(error: unknown): unknown {
  redact(error, new Set());
  return error;
}

function redact(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (Array.isArray(value)) {
    for (const each of value) redact(each, seen);
    return;
  }
  for (const key of revealing) Reflect.deleteProperty(value, key);
  for (const key of ["message", "stack"]) {
    const text: unknown = Reflect.get(value, key);
    if (typeof text === "string" && withArguments.test(text)) {
      Reflect.defineProperty(value, key, { value: text.replace(withArguments, "$1"), configurable: true });
    }
  }
  for (const key of nesting) redact(Reflect.get(value, key), seen);
}

/** Redis repeats the beginning of an unknown command. */
const withArguments = /(unknown command [^,\n]*)(, with args beginning with:[^\n]*)/i;

/** Returns an object like `target`, whose methods reject with the errors that `explain` returns. */
export function rejecting<T extends object>(target: T, explain: (error: unknown) => unknown): T {
  return new Proxy(target, {
    get(object, key) {
      const member: unknown = Reflect.get(object, key, object);
      if (typeof member !== "function") return member;
      return (...values: unknown[]): unknown => {
        const answer: unknown = member.apply(object, values);
        if (!(answer instanceof Promise)) return answer;
        return answer.catch((error) => {
          throw explain(error);
        });
      };
    },
  });
}
