import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jobName, queueName } from "../../src/store/queue-name.ts";

describe("queueName", () => {
  it("leaves ordinary names alone", () => {
    expect(queueName("send_digest.v2-a")).toBe("send_digest.v2-a");
  });

  it("turns any job name into a name that pg-boss takes, and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        const queue = queueName(name);
        expect(queue).toMatch(/^[\w.\-/]+$/);
        expect(jobName(queue)).toBe(name);
      }),
    );
  });

  it("keeps jobs apart from pg-boss's own queues", () => {
    const queue = queueName("__pgboss__send-it");
    expect(queue).toBe("/5f/_pgboss__send-it");
    expect(jobName(queue)).toBe("__pgboss__send-it");
  });
});

describe("jobName", () => {
  it.each([
    "reports/20240101/daily", // No code point.
    "reports/41/daily", // A, which stands for itself.
    "reports/020/daily", // A space would be 20.
    "reports/2F/daily", // Digits are in lower case.
    "reports/daily", // A slash of its own.
    "a/20/b/daily", // A space, and a slash of its own.
  ])("leaves %s alone, a queue of another program", (queue) => {
    expect(jobName(queue)).toBe(queue);
  });

  it("takes any queue, and keeps the names of different queues apart", () => {
    const character = fc.constantFrom(..."/0124adf_ ");
    fc.assert(
      fc.property(fc.string({ unit: character }), (queue) => {
        const name = jobName(queue);
        expect([name, queueName(name)]).toContain(queue);
      }),
    );
  });
});
