import { memoryEngine } from "@nidus/jobs-durable";
import { describe, it } from "vitest";
import { engineContract } from "../src/index.ts";

describe("memoryEngine", () => {
  engineContract({ test: it.concurrent, createEngine: ({ runner }) => memoryEngine({ runner }) });
});
