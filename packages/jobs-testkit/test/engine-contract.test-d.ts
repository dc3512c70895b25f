import { test as nodeTest } from "node:test";
import { memoryEngine } from "@nidus/jobs-durable";
import { it, test } from "vitest";
import { engineContract } from "../src/contracts.ts";

const createEngine = memoryEngine;

// The test functions of both runners are what it takes, as they are.
engineContract({ test: nodeTest, createEngine });
engineContract({ test, createEngine });
engineContract({ test: it.concurrent, createEngine });

// A factory may be async, and need not look at what it is given.
engineContract({ test, createEngine: async ({ runner }) => memoryEngine({ runner }) });

// @ts-expect-error A test without a body tests nothing.
engineContract({ test: (name: string, body: string) => [name, body], createEngine });
// @ts-expect-error An engine has to be created.
engineContract({ test, createEngine: () => undefined });
