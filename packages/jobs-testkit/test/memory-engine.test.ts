import { memoryEngine } from "@nidus/jobs-durable";
import { test } from "vitest";
import { engineContract } from "../src/index.ts";

engineContract({ test, createEngine: ({ runner, onError }) => memoryEngine({ runner, onError }) });
