import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./repository.ts";

/** A TypeScript block of a document: a program of its own. */
export interface Example {
  /** Such as "packages/jobs-core/README.md:12". */
  readonly where: string;
  readonly code: string;
  /** What its `console.log(…); // …` lines say that they print, in order. */
  readonly prints: readonly string[];
}

/** Every `ts` block of the documents of a checkout, in order. */
export function examplesOf(checkout: string = root): Example[] {
  return documents(checkout).flatMap((document) => examplesIn(checkout, document));
}

/** The documents whose code is run, as paths in the checkout. */
function documents(checkout: string): string[] {
  const readmes = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(checkout, group)).map((name) => join(group, name, "README.md")),
  );
  const pages = readdirSync(join(checkout, "apps/docs"))
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .map((name) => join("apps/docs", name));
  return ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...readmes, ...pages];
}

/** None where there is no such document. */
function examplesIn(checkout: string, document: string): Example[] {
  let text: string;
  try {
    text = readFileSync(join(checkout, document), "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const code = match[1] as string;
    const line = text.slice(0, match.index).split("\n").length + 1;
    const prints = [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(
      ([, printed]) => printed as string,
    );
    return { where: `${document}:${line}`, code, prints };
  });
}
