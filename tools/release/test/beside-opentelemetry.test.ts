import { describe, expect, it } from "vitest";
import { installed } from "../src/beside-opentelemetry.ts";

describe("the install lines of a document", () => {
  const document = [
    "npm install @nidus/a prom-client bullmq@5",
    "npm install --save-dev @nidus/b",
    "npm install @electric-sql/pglite@0.5   # only for an embedded database",
    "npm install @opentelemetry/sdk-trace@3 @opentelemetry/resources@3",
    "npm install @opentelemetry/sdk-trace@2 @opentelemetry/resources@2",
    "Run `npm install other` if you like.",
  ].join("\n");

  it.each(["2", "3"])("name packages and their ranges, of the OpenTelemetry line %s", (line) => {
    expect(installed(document, line)).toEqual({
      "@nidus/a": "*",
      "@nidus/b": "*",
      "prom-client": "*",
      bullmq: "5",
      "@electric-sql/pglite": "0.5",
      "@opentelemetry/sdk-trace": line,
      "@opentelemetry/resources": line,
    });
  });
});
