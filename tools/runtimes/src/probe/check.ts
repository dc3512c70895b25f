/** What is tried of one package: an assertion that fails throws. The key says what holds. */
export type Checks = Readonly<Record<string, () => void | Promise<void>>>;
