import { styleText } from "node:util";

/** Colours a text, or returns it unchanged. */
export type Paint = (colour: "green" | "red" | "yellow" | "gray", text: string) => string;

/** Returns a function that colours texts if the stream is a terminal with colours. Node honours `NO_COLOR` and `FORCE_COLOR`. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  const isColoured = (stream as Partial<NodeJS.WriteStream>).hasColors?.() === true;
  // Otherwise newer versions of Node look at stdout, whichever stream the text is for.
  const options = { validateStream: false };
  return (colour, text) => (isColoured ? styleText(colour, text, options) : text);
}
