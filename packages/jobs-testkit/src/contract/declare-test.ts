/**
 * Declares a test. Pass the `test` of vitest or of `node:test` as it is: both take a name, options and a body. `timeout` is in
 * milliseconds, and longer than the contract's own limit.
 */
export type DeclareTest = (
  name: string,
  options: { readonly timeout: number },
  body: () => Promise<void>,
) => unknown;
