import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";

/** A process that waits for a line. */
type Guard = ChildProcessByStdio<Writable, null, null>;

/** Kills a program that this process has started if this process ends before it, also by a signal that it cannot handle. */
export function endsWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const guard = startGuard(child.pid);
  child.once("exit", () => guard.stdin.end("\n"));
}

/**
 * Starts a process that kills another one if its own input ends without a line. The system ends the input of a guard when this process
 * ends. A guard has a session of its own, so that Ctrl+C in a terminal leaves it alive.
 */
export function startGuard(pid: number): Guard {
  const guard = spawn("sh", ["-c", 'read -r line || kill -9 "$1"', "sh", String(pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell, the process is not guarded.
  guard.on("error", () => {});
  // The guard has gone before.
  guard.stdin.on("error", () => {});
  guard.unref();
  (guard.stdin as Socket).unref();
  return guard;
}
