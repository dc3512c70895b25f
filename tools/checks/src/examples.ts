import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CodeBlock, codeBlocksOf } from "./markdown-document.ts";
import { root } from "./repository.ts";

/** A TypeScript block of a document, which is a complete program. */
export interface Example {
  /** Such as "packages/jobs-core/README.md:12". */
  readonly where: string;
  readonly code: string;
  /** The output that its `console.log(…); // …` lines promise, in order. */
  readonly prints: readonly string[];
  /** Whether it declares tests of `node:test`. These report to the process in which they run. */
  readonly hasTests: boolean;
}

/** The folder of the packages to copy. Their examples run in a copy. */
const toCopy = "examples";

/** Pages whose blocks a test also follows to the letter, as one script. */
const followedPages: readonly string[] = ["apps/docs/five-minute-start.md"];

/** Openings of blocks that are no programs: output, commands, and configuration that another test checks. */
const noProgram = /^```(text|sh|yaml|promql)$/;

/** Finds every `ts` block of the documents of a checkout, in order. The packages to copy are left out. */
export function examplesOf(checkout: string = root): Example[] {
  return documents(checkout)
    .filter((document) => !document.startsWith(toCopy))
    .flatMap((document) => examplesIn(document, checkout));
}

/** Finds every `ts` block of a document, in order. */
export function examplesIn(document: string, checkout: string = root): Example[] {
  return blocksIn(document, checkout)
    .filter(isExample)
    .map(({ line, code }) => {
      const prints = [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(
        ([, printed]) => printed as string,
      );
      const hasTests = /^import \{[^}]*\b(?:test|it|describe)\b[^}]*\} from "node:test";$/m.test(code);
      return { where: `${document}:${line}`, code, prints, hasTests };
    });
}

/** Finds blocks that are neither run nor known to be no program, in the documents of a checkout. */
export function checkCodeBlocks(checkout: string = root): string[] {
  return documents(checkout).flatMap((document) =>
    blocksIn(document, checkout)
      .filter((block) => !isExample(block) && !noProgram.test(block.opening))
      .filter(({ opening }) => !(opening === "```js" && followedPages.includes(document)))
      .map(
        ({ line, opening }) =>
          `${document}:${line}: a block that begins with "${opening}" is not run: make it a \`ts\` program`,
      ),
  );
}

function isExample({ opening }: CodeBlock): boolean {
  return opening === "```ts";
}

function blocksIn(document: string, checkout: string): CodeBlock[] {
  return codeBlocksOf(readFileSync(join(checkout, document), "utf8"));
}

/** Lists the documents whose code runs, as paths in the checkout. */
function documents(checkout: string): string[] {
  const pages = [".", "apps/docs"].flatMap((folder) =>
    readdirSync(join(checkout, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  );
  const readmes = ["packages", "apps", "tools", toCopy]
    .flatMap((group) => readdirSync(join(checkout, group)).map((name) => join(group, name, "README.md")))
    .filter((document) => existsSync(join(checkout, document)));
  const indexes = ["tools", "tests", toCopy]
    .map((group) => join(group, "README.md"))
    .filter((document) => existsSync(join(checkout, document)));
  return [...new Set([...pages, ...readmes, ...indexes])];
}
