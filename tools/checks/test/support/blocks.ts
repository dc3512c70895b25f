import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../src/repository.ts";

/** A code block of a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** Where the text before it ends in a name and a colon: the file that it is. */
  readonly file: string | undefined;
}

/** Every code block of a page in apps/docs, in order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, "apps/docs", page), "utf8");
  return [...text.matchAll(/(?:`([\w.-]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)].map(
    ([, file, language, code]) => ({
      language: language as string,
      code: code as string,
      file,
    }),
  );
}

/** The shell script that follows a page: its commands, and its files where it has them, in order. */
export function scriptOf(blocks: readonly Block[]): string {
  return blocks
    .flatMap(({ language, code, file }) => {
      if (file !== undefined) return [`cat > ${file} << 'end of file'\n${code}end of file\n`];
      return language === "sh" ? [code] : [];
    })
    .join("");
}
