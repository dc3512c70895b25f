import { EngineUnavailableError } from "@nidus/jobs-durable";
import { describe, expect, it } from "vitest";
import { wordlessTlsError } from "../../src/connection/opening-error.ts";

const address = "redis.example.org:6380";
const late = new EngineUnavailableError("Redis did not answer");

describe("the error of a TLS connection that gives no reason", () => {
  it("names TLS itself, if nothing was heard", () => {
    const error = wordlessTlsError(late, undefined, address);
    expect(error?.message).toMatch(
      /^Redis at redis.example.org:6380 is unreachable \(no answer to TLS: .*redis:/,
    );
  });

  it.each(["write ECONNRESET", "read ECONNRESET", "write EPIPE"])("names certificates after %s", (text) => {
    for (const thrown of [new Error(text), late]) {
      const error = wordlessTlsError(thrown, new Error(text), address);
      expect(error?.message).toContain(`(Error: ${text}: if it asks for a client's certificate, pass`);
    }
  });

  it.each([
    [new Error("connect ECONNREFUSED"), undefined],
    [late, new Error("connect ETIMEDOUT")],
  ])("is none for %s after %s", (error, lastError) => {
    expect(wordlessTlsError(error, lastError, address)).toBeUndefined();
  });
});
