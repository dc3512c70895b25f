import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jobName, queueName } from "../src/queue-name.ts";

describe("queueName", () => {
  it("leaves ordinary names alone", () => {
    expect(queueName("send_digest.v2-a")).toBe("send_digest.v2-a");
  });

  it("makes a name that pg-boss takes of any job name, and gives it back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        const queue = queueName(name);
        expect(queue).toMatch(/^[\w.\-/]+$/);
        expect(jobName(queue)).toBe(name);
      }),
    );
  });
});
