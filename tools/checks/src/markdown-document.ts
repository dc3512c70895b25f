/** A fenced block of a Markdown document. */
export interface CodeBlock {
  /** The whole line that opens it, such as "```ts". */
  readonly opening: string;
  /** The number of the line after the opening. */
  readonly line: number;
  readonly code: string;
}

/** Finds every fenced block of a Markdown document, in order, also in lists and quotations. */
export function codeBlocksOf(text: string): CodeBlock[] {
  const blocks = /^([ \t>*+\-.)\d]*(```+|~~~+)[^`\n]*)\n(.*?)(?:^[ \t>]*\2[`~]*[ \t]*$|(?![\s\S]))/gms;
  return [...text.matchAll(blocks)].map(({ 1: opening, 3: code, index }) => ({
    opening: opening as string,
    line: text.slice(0, index).split("\n").length + 1,
    code: code as string,
  }));
}

/** Lists the targets of the links of a Markdown document, as written. Code contains no links. */
export function linksOf(text: string): string[] {
  const links =
    /\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)|<([a-z]+:[^>\s]*)>|\b(?:href|src)="([^"]*)"/gim;
  return [...withoutCode(text).matchAll(links)].map(
    (match) => match.slice(1).find((group) => group !== undefined) as string,
  );
}

/** Computes the anchors that GitHub gives to the headings of a Markdown document. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of withoutFences(text).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const anchor = anchorOf(heading as string);
    let unique = anchor;
    for (let again = 1; anchors.has(unique); again++) unique = `${anchor}-${again}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Keeps letters, digits, `_` and `-`, in lower case, and the text of links. Each space becomes a `-`. */
function anchorOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/(`+)[^`](?:.|\n(?!\n))*?\1/g, "");
}

function withoutFences(text: string): string {
  return text.replace(/^ *(```+|~~~+).*\n(?:.*\n)*? *\1`*$/gm, "");
}
