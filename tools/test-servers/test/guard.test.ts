import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { startGuard } from "../src/guard.ts";

function guardedProcess(): ChildProcess & { readonly pid: number } {
  const guarded = spawn("sleep", ["600"]);
  onTestFinished(() => void guarded.kill("SIGKILL"));
  return guarded as ChildProcess & { readonly pid: number };
}

it("kills the process if its own input ends, as when the process that started it is gone", async () => {
  const guarded = guardedProcess();
  startGuard(guarded.pid).stdin.end();
  expect(await once(guarded, "exit")).toEqual([null, "SIGKILL"]);
});

it("leaves the process alone after a line", async () => {
  const guarded = guardedProcess();
  const guard = startGuard(guarded.pid);
  const ends = once(guarded, "exit");
  const guardEnds = once(guard, "exit");
  guard.stdin.end("\n");
  expect(await guardEnds).toEqual([0, null]);
  guarded.kill("SIGTERM");
  expect(await ends).toEqual([null, "SIGTERM"]);
});
