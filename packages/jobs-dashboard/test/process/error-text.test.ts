import { JobError } from "@nidus/jobs-core";
import { describe, expect, test } from "vitest";
import { errorTextOf, normalisedMessage, topFrame } from "../../src/process/error-text.ts";

describe("normalisedMessage", () => {
  test.each([
    ["no user 17", "no user 42"],
    ["no address for ada@example.com", "no address for grace.hopper+x@mail.example.org"],
    ["job 0b8e7f1c-3a52-4c26-9d53-1c2b3f6a7d80 is gone", "job 5e0c4a9b-52a1-4e9f-8a0b-7b1d2c3e4f50 is gone"],
    ["connect ECONNREFUSED 10.0.0.1:5432", "connect ECONNREFUSED 10.0.12.7:5433"],
    ['unexpected token "a"', 'unexpected token "}"'],
    ["GET https://a.example/1?x=2 failed", "GET https://b.example/ failed"],
    ["digest 9f86d081884c7d65 differs", "digest 2cf24dba5fb0a30e differs"],
  ])("takes %j and %j as one error", (a, b) => {
    expect(normalisedMessage(a)).toBe(normalisedMessage(b));
  });

  test("keeps words apart", () => {
    expect(normalisedMessage("no address")).not.toBe(normalisedMessage("no name"));
    expect(normalisedMessage("it's the user's")).toBe("it's the user's");
  });

  test("is quick for hostile texts", () => {
    for (const unit of ["a@a.", "'", '"', "0.0:", "a-a-", "f0"]) {
      expect(normalisedMessage(unit.repeat(100_000)).length).toBeLessThanOrEqual(400);
    }
  });
});

describe("errorTextOf", () => {
  test("has class, code, stack and the chain of causes", () => {
    const error = Object.assign(
      new TypeError("outer", { cause: new RangeError("inner", { cause: "text" }) }),
      {
        code: "E_OUTER",
      },
    );
    const text = errorTextOf(JobError.from(error));
    expect(text).toMatchObject({ className: "TypeError", code: "E_OUTER", message: "outer" });
    expect(text.causes).toEqual([
      { className: "RangeError", message: "inner" },
      { className: "string", message: '"text"' },
    ]);
    expect(text.stack).toContain("error-text.test.ts");
    expect(topFrame(text.stack)).toContain("error-text.test.ts");
  });

  test("is bounded", () => {
    let error = new Error("x".repeat(100_000));
    for (let depth = 0; depth < 50; depth++) error = new Error("y".repeat(100_000), { cause: error });
    expect(JSON.stringify(errorTextOf(JobError.from(error))).length).toBeLessThan(12_000);
  });

  test("survives hostile errors", () => {
    const hostile = new Proxy(new Error("x"), {
      get() {
        throw new Error("no");
      },
    });
    const circular = new Error("circular");
    circular.cause = circular;
    for (const thrown of [
      hostile,
      circular,
      undefined,
      null,
      7,
      Symbol("x"),
      Object.create(null),
      { message: {} },
    ]) {
      expect(typeof errorTextOf(JobError.from(thrown)).message).toBe("string");
    }
  });
});

describe("topFrame", () => {
  test("skips Node and dependencies", () => {
    const stack = [
      "Error: x",
      "    at node:internal/process/task_queues:95:5",
      "    at connect (/srv/node_modules/pg/lib/client.js:1:2)",
      "    at async Mailer.send (file:///srv/app/dist/mailer.js:12:34)",
    ];
    expect(topFrame(stack.join("\n"))).toBe("Mailer.send (mailer.js:12:34)");
  });

  test.each([
    ["    at C:\\srv\\app\\mailer.js:12:34", "mailer.js:12:34"],
    ["    at send (C:\\srv\\app\\mailer.js:12:34)", "send (mailer.js:12:34)"],
    ["    at new Mailer (/srv/app/mailer.js:12:34)", "new Mailer (mailer.js:12:34)"],
    ["    at <anonymous>", "<anonymous>"],
  ])("leaves out the folders of %j", (frame, expected) => {
    expect(topFrame(`Error: x\n${frame}`)).toBe(expected);
  });

  test("takes time in proportion to the text", () => {
    // A pattern that tries every character as the start of a path takes many minutes.
    for (const word of ["a", "(", "a(", "\\ ", "at "]) {
      expect(topFrame(`x\n at ${word.repeat(1_000_000)}`)?.length).toBeLessThanOrEqual(200);
    }
  });

  test("is null without frames", () => {
    expect(topFrame("Error: x")).toBeNull();
  });
});
