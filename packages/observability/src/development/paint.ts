import { styleText } from "node:util";

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: "green" | "red" | "yellow" | "gray", text: string) => string;

/** Colours where the stream is a terminal that has them; `NO_COLOR` and `FORCE_COLOR` are heeded by Node. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  const isColoured = (stream as Partial<NodeJS.WriteStream>).hasColors?.() === true;
  // Newer versions of Node look at stdout otherwise, whichever stream the text is for.
  const options = { validateStream: false };
  return (colour, text) => (isColoured ? styleText(colour, text, options) : text);
}
