function refuse(): never {
  throw new Error("hands off");
}

function withGetter(key: string): Error {
  return Object.defineProperty(new Error("hostile"), key, { get: refuse });
}

function proxied(target: object): object {
  return new Proxy(target, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error("gone"), {});
  revoke();
  return proxy;
}

function circular(): Error {
  const error = new Error("its own cause");
  error.cause = error;
  return error;
}

/** Unusual values that jobs may throw, with a name of each for messages. */
export function hostileErrors(): readonly (readonly [what: string, thrown: unknown])[] {
  return [
    ["undefined", undefined],
    ["null", null],
    ["an empty string", ""],
    ["a number", Number.NaN],
    ["a BigInt", 1n],
    ["a symbol", Symbol("thrown")],
    ["a function", () => {}],
    ["an object without a prototype", Object.create(null)],
    ["an object that becomes no string", { toString: refuse, [Symbol.toPrimitive]: refuse }],
    ["an error without a message", new Error()],
    ["an error with a message that is no string", Object.assign(new Error("text"), { message: { a: 1 } })],
    ["an error with a very long message", new Error("x".repeat(1_000_000))],
    ["an error with a lone surrogate in its message", new Error("half of a pair: \ud83d")],
    ["an error with several lines in its message", new Error('first\nsecond\r\n\u0000 "third"\\')],
    ["an error without a stack", Object.assign(new Error("no stack"), { stack: undefined })],
    ["a frozen error", Object.freeze(new Error("frozen"))],
    ["an error that is its own cause", circular()],
    ["an AggregateError", new AggregateError([new Error("one"), circular()], "several")],
    ["a DOMException", new DOMException("too large", "QuotaExceededError")],
    ...["message", "name", "stack", "cause", "code", "constructor"].map(
      (key) => [`an error whose ${key} throws`, withGetter(key)] as const,
    ),
    ["an error behind a Proxy that throws", proxied(new Error("behind it"))],
    ["an object behind a Proxy that throws", proxied({})],
    ["a Proxy that was revoked", revoked()],
  ];
}
