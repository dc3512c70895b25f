/** A sentence of a comment or a document. */
export interface Sentence {
  /** The number of the line on which its paragraph begins. */
  readonly line: number;
  /** The text without markup. A `_` stands for each piece of inline code. */
  readonly text: string;
}

/** Text without breaks that belongs together: a paragraph, a list item, a table cell. */
interface Passage {
  readonly line: number;
  readonly text: string;
}

/** Finds the sentences of a file: the prose of Markdown, the comments of TypeScript. Code and headings are left out. */
export function sentencesOf(path: string, text: string): Sentence[] {
  const lines = path.endsWith(".md") ? text.split("\n") : commentLinesOf(text);
  return passagesOf(lines).flatMap(split);
}

/** Keeps the text of comments, at its line, and empties every other line. */
function commentLinesOf(code: string): string[] {
  let isInside = false;
  return code.split("\n").map((line) => {
    if (isInside) {
      isInside = !line.includes("*/");
      return line.replace(/^\s*\*(?!\/) ?|\*\/.*$/g, "");
    }
    const block = /^\s*\/\*\*?(?!\*)(.*)$/.exec(line)?.[1];
    if (block !== undefined) {
      isInside = !block.includes("*/");
      return block.replace(/\*\/.*$/, "");
    }
    return /(?:^|[;,{}()[\]]) *\/\/ (.*)$/.exec(line)?.[1] ?? "";
  });
}

/** Gathers lines into passages. A blank line, a list item, a row of a table, a tag and a fence begin a new one. */
function passagesOf(lines: readonly string[]): Passage[] {
  const passages: { line: number; text: string }[] = [];
  let fence: string | undefined;
  let isOpen = false;
  for (const [index, raw] of lines.entries()) {
    const opening = /^[\s>*+-]*(```+|~~~+)/.exec(raw)?.[1];
    if (fence !== undefined || opening !== undefined) {
      if (fence === undefined) fence = opening;
      else if (opening?.startsWith(fence)) fence = undefined;
      isOpen = false;
      continue;
    }
    const line = raw.replace(/(`+).*?\1/g, "_").trim();
    const isRow = line.startsWith("|");
    for (const cell of isRow ? line.split(/(?<!\\)\|/) : [line]) {
      const begins = isRow || /^(?:[-*+>] |\d+\. |@\w+)/.test(cell);
      const text = plain(cell);
      const last = passages.at(-1);
      if (text === "" || line.startsWith("#")) isOpen = false;
      else if (isOpen && !begins && last !== undefined) last.text += ` ${text}`;
      else passages.push({ line: index + 1, text });
      if (text !== "") isOpen = !isRow && !line.startsWith("#");
    }
  }
  return passages;
}

/** Strips markup: bullets, tags, links, emphasis, HTML. */
function plain(line: string): string {
  return line
    .trim()
    .replace(/^(?:[-*+>] +|\d+\. +)+/, "")
    .replace(/^@(?:param|template)\s+\S+(?:\s+-)?|^@\w+/, "")
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/<[^>]*>/g, " ")
    .replace(/\*\*|__/g, "")
    .trim();
}

function split({ line, text }: Passage): Sentence[] {
  return text
    .split(/(?<=[.!?][)"”]?)\s+(?=[\p{Lu}_"“(])/u)
    .filter((sentence) => /[\p{L}]/u.test(sentence))
    .map((sentence) => ({ line, text: sentence }));
}
