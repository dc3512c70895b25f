import { join } from "node:path";
import { raisedCopy } from "./copy.ts";
import { execute } from "./execute.ts";
import { startRegistry } from "./rehearsal-registry.ts";
import { release } from "./release.ts";
import { step } from "./step.ts";

/**
 * Releases a copy of the checkout to a registry of its own. It leaves nothing behind and does not change the checkout.
 *
 * @param work - an empty folder for its files.
 * @throws (rejects with) Error with the failed step, or with the changes in the checkout.
 */
export async function rehearse(
  checkout: string,
  work: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const before = await stateOf(checkout);
  const copy = join(work, "checkout");
  await step("copy of what is committed, with versions raised", () => raisedCopy(checkout, copy, signal));
  const registry = await step(
    "registry",
    () => startRegistry(work),
    ({ url }) => url,
  );
  try {
    await release(copy, registry, work, signal);
    // The workflow does this in a job of its own.
    await step("tag", () => execute(join(copy, ".ci", "tag"), [], copy, { signal }));
  } finally {
    await registry.stop();
  }
  await step("the checkout is as it was", async () => {
    const after = await stateOf(checkout);
    if (after !== before) throw new Error(`expected:\n${before}\nfound:\n${after}`);
  });
}

/** Describes a checkout by its commit, its tags and its uncommitted changes. */
async function stateOf(checkout: string): Promise<string> {
  const git = (...args: string[]): Promise<string> => execute("git", args, checkout);
  return [await git("rev-parse", "HEAD"), await git("tag"), await git("status", "--porcelain")].join("\n");
}
