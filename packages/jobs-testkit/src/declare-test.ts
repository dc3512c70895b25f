/** Declares a test. The `test` of vitest and that of `node:test` are such functions. */
export type DeclareTest = (name: string, body: () => Promise<void>) => unknown;
