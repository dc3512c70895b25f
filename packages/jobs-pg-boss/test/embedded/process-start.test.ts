import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { processStart } from "../../src/embedded/process-start.ts";

describe("processStart", () => {
  it("is the same as long as a process lives", async () => {
    const start = await processStart(process.pid);
    expect(start).toBeDefined();
    expect(await processStart(process.pid)).toBe(start);
  });

  it("is undefined for a process that does not exist", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    expect(await processStart(child.pid as number)).toBeUndefined();
    for (const none of [0, -1, Number.NaN, 2 ** 40]) expect(await processStart(none)).toBeUndefined();
  });

  it.skipIf(process.platform !== "linux")("takes a zombie for dead", async () => {
    // The shell starts a child that ends soon, and becomes a program that never reads its exit code.
    const parent = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 30"]);
    const [line] = await once(parent.stdout, "data");
    const zombie = Number(String(line));
    await expect.poll(() => processStart(zombie)).toBeUndefined();
    process.kill(zombie, 0);
    parent.kill("SIGKILL");
    await once(parent, "exit");
  });
});
