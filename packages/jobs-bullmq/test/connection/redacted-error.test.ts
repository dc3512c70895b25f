import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { redacted, rejecting } from "../../src/connection/redacted-error.ts";

/** An error as ioredis makes it. */
function errorWith(message: string, further: object = {}): Error {
  return Object.assign(new Error(message), {
    command: { name: "evalsha", args: ["hash", "s3same"] },
    ...further,
  });
}

describe("redacted", () => {
  it.each<[what: string, error: unknown]>([
    ["an error", errorWith("OOM")],
    ["a cause", new Error("no", { cause: errorWith("OOM") })],
    ["a cluster's error", errorWith("no", { lastNodeError: errorWith("OOM") })],
    ["a transaction's error", errorWith("EXECABORT", { previousErrors: [errorWith("OOM")] })],
    ["one of several", new AggregateError([errorWith("OOM")], "no")],
    ["a parser's error", errorWith("Protocol error", { buffer: "s3same" })],
    ["what is repeated", errorWith("ERR unknown command 'x', with args beginning with: 's3same' ")],
  ])("removes arguments from %s", (_what, error) => {
    expect(redacted(error)).toBe(error);
    const { stack, message } = error as Error;
    expect(`${inspect(error, { depth: 9 })} ${JSON.stringify(error)} ${stack} ${message}`).not.toContain(
      "s3same",
    );
  });

  it("keeps class, code and words", () => {
    const error = Object.assign(new RangeError("connect ECONNREFUSED"), {
      code: "ECONNREFUSED",
      command: {},
    });
    redacted(error);
    expect(error).toMatchObject({
      name: "RangeError",
      message: "connect ECONNREFUSED",
      code: "ECONNREFUSED",
    });
    expect("command" in error).toBe(false);
    expect(redacted(errorWith("ERR unknown command 'x', with args beginning with: 'a'"))).toMatchObject({
      message: "ERR unknown command 'x'",
    });
  });

  it.each([undefined, null, "text", Object.freeze({ command: 1 })])("leaves %s as it is", (value) => {
    expect(redacted(value)).toBe(value);
  });

  it("ends for errors that have each other", () => {
    const [first, second] = [errorWith("first"), errorWith("second")];
    first.cause = second;
    second.cause = first;
    redacted(first);
    expect(inspect(first, { depth: 9 })).not.toContain("s3same");
  });
});

describe("rejecting", () => {
  it("has an object's methods reject with explained errors", async () => {
    class Store {
      readonly #name = "store";
      readonly kind = "kind";
      async write(): Promise<string> {
        throw errorWith(this.#name);
      }
      name(): string {
        return this.#name;
      }
    }
    const store = rejecting(new Store(), redacted);
    expect([store.kind, store.name()]).toEqual(["kind", "store"]);
    const error = await store.write().catch((thrown: unknown) => thrown);
    expect(String(error)).toBe("Error: store");
    expect(inspect(error)).not.toContain("s3same");
  });
});
