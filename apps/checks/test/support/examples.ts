import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../../src/repository.ts";

/** A TypeScript block of a document: a program of its own. */
export interface Example {
  /** Such as "packages/jobs-core/README.md:12". */
  readonly where: string;
  readonly code: string;
  /** What its `console.log(…); // …` lines say that they print, in order. */
  readonly prints: readonly string[];
}

/** The documents whose code is run. */
export function documents(): string[] {
  const readmes = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(root, group, name, "README.md")),
  );
  const pages = readdirSync(join(root, "apps/docs"))
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .map((name) => join(root, "apps/docs", name));
  return [
    join(root, "README.md"),
    join(root, "ARCHITECTURE.md"),
    join(root, "CONTRIBUTING.md"),
    ...readmes,
    ...pages,
  ];
}

/** Every `ts` block of a document, in order; none where there is no such document. */
export function examplesOf(document: string): Example[] {
  let text: string;
  try {
    text = readFileSync(document, "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const code = match[1] as string;
    const line = text.slice(0, match.index).split("\n").length + 1;
    const prints = [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(
      ([, printed]) => printed as string,
    );
    return { where: `${relative(root, document)}:${line}`, code, prints };
  });
}
