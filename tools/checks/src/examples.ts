import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CodeBlock, codeBlocksOf } from "./markdown-document.ts";
import { root } from "./repository.ts";

/** A TypeScript block of a document: a program of its own. */
export interface Example {
  /** Such as "packages/jobs-core/README.md:12". */
  readonly where: string;
  readonly code: string;
  /** What its `console.log(…); // …` lines say that they print, in order. */
  readonly prints: readonly string[];
  /** Whether it declares tests of `node:test`, which report to the process that they run in. */
  readonly hasTests: boolean;
}

/** Where the documents of the packages to copy are: their examples are run in a copy. */
const toCopy = "examples";

/** The pages whose blocks are followed to the letter as well, as one script. */
const followedPages: readonly string[] = ["apps/docs/five-minute-start.md"];

/** What the first line of a block says that is printed, typed or tried by a test of its own, and not a program. */
const noProgram = /^```(text|sh|yaml|promql)$/;

/** Every `ts` block of the documents of a checkout, in order, but for those of the packages to copy. */
export function examplesOf(checkout: string = root): Example[] {
  return documents(checkout)
    .filter((document) => !document.startsWith(toCopy))
    .flatMap((document) => examplesIn(document, checkout));
}

/** Every `ts` block of a document, in order. */
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

/** Every block of the documents of a checkout that is neither run nor known to be no program. */
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

/** The documents whose code is run, as paths in the checkout. */
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
