import { engineContract } from "../../src/contracts.ts";
import type { CreateListEngine } from "./list-engine.ts";

/** Longer than a healthy engine needs, of which one test takes two leases of 10 s. */
const limitMs = 22_000;

/** The tests of the contract, by name. */
function contractOf(createEngine: CreateListEngine): ReadonlyMap<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  engineContract({
    test: (name, _options, body) => tests.set(name, body),
    createEngine,
    createWithRetention: createEngine,
  });
  return tests;
}

/** Runs tests of the contract at the same time. Resolves to the names of those that failed, or took too long. */
export async function failuresOf(
  createEngine: CreateListEngine,
  names?: readonly string[],
): Promise<string[]> {
  const tests = contractOf(createEngine);
  const failed = await Promise.all(
    (names ?? [...tests.keys()]).map(async (name) => {
      const body = tests.get(name);
      if (body === undefined) throw new Error(`the contract has no test named "${name}"`);
      return (await passes(body)) ? [] : [name];
    }),
  );
  return failed.flat();
}

async function passes(body: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  const ended = body().then(
    () => true,
    () => false,
  );
  const isPassed = await Promise.race([ended, late]);
  clearTimeout(timer);
  return isPassed;
}
