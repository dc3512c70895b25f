import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import type { Client } from "pg";
import { expect, onTestFinished, test, vi } from "vitest";
import { ListeningConnection } from "../../src/connection/listening-connection.ts";

vi.mock("node:timers/promises", () => ({
  setTimeout: () => new Promise((resolve) => setImmediate(resolve)),
}));

test("a server that stays away leaves nothing behind with each try to connect", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  let tries = 0;
  const createClient = () => {
    tries++;
    const refusing = { connect: () => Promise.reject(new Error("refused")), end: async () => {} };
    return {
      client: Object.assign(new EventEmitter(), refusing) as unknown as Client,
      socket: new Socket(),
    };
  };
  const setUp = { createClient, notify: async () => {}, onError: () => {} };
  const connection = new ListeningConnection(setUp, new Set());
  // Node warns of an eleventh listener on a signal.
  await vi.waitUntil(() => tries > 20);
  await connection.close();
  expect(warnings.map(({ message }) => message)).toEqual([]);
});
