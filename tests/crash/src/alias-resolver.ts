import type { ResolveHook } from "node:module";

let replacements: Readonly<Record<string, string>> = {};

/** Takes the modules that are to be replaced, by the names under which they are imported. */
export function initialize(modules: Readonly<Record<string, string>>): void {
  replacements = modules;
}

/** Gives whoever imports one of these names the module that replaces it. */
export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  nextResolve(replacements[specifier] ?? specifier, context);
