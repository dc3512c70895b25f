/** Checks of one package, by their claim. A failing check throws. */
export type Checks = Readonly<Record<string, () => void | Promise<void>>>;
