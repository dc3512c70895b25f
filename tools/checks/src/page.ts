import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./repository.ts";

/** A code block of a page in apps/docs. */
export interface PageBlock {
  readonly language: string;
  readonly code: string;
  /** The file that it is, if the text before it ends in a name and a colon. */
  readonly file: string | undefined;
}

/** Finds every code block of a page in apps/docs, in order. */
export function pageBlocksOf(page: string): PageBlock[] {
  const text = readFileSync(join(root, "apps/docs", page), "utf8");
  return [...text.matchAll(/(?:`([\w.-]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)].map(
    ([, file, language, code]) => ({
      language: language as string,
      code: code as string,
      file,
    }),
  );
}

/** Writes the shell script that follows a page: its commands and its files, in order. */
export function scriptOf(blocks: readonly PageBlock[]): string {
  return blocks
    .flatMap(({ language, code, file }) => {
      if (file !== undefined) return [`cat > ${file} << 'end of file'\n${code}end of file\n`];
      return language === "sh" ? [code] : [];
    })
    .join("");
}
