import type { ResolveHook } from "node:module";

let replacements: Readonly<Record<string, string>> = {};

/** Registers replacements for modules, by the names under which they are imported. */
export function initialize(modules: Readonly<Record<string, string>>): void {
  replacements = modules;
}

/** Resolves a replaced name to its replacement. */
export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  nextResolve(replacements[specifier] ?? specifier, context);
