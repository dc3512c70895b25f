import { type ObserverContractOptions, observerContract } from "../../src/contracts.ts";

/** The tests of the contract, by name. */
export function observerTestsOf(
  options: Omit<ObserverContractOptions, "test">,
): ReadonlyMap<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  observerContract({ ...options, test: (name, _options, body) => tests.set(name, body) });
  return tests;
}

/** Runs tests one after the other. Resolves to the names of those that failed. */
export async function failuresOf(tests: Iterable<[string, () => Promise<void>]>): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, body] of tests) await body().catch(() => failed.push(name));
  return failed;
}
