/** Columns of the drawn terminal. Longer lines are cut, and end in `…`. */
const columns = 104;
const [lineHeight, columnWidth, margin] = [19, 7.8, 20];

const colours = {
  background: "#1c2128",
  border: "#444c56",
  text: "#cdd9e5",
  heading: "#ffffff",
  faint: "#8b97a5",
  failure: "#ff938a",
  command: "#6bc46d",
} as const;

/** The content of a terminal: a command and its output. */
export interface Terminal {
  readonly title: string;
  readonly command: string;
  readonly lines: readonly string[];
}

/** Draws a terminal as an SVG. The SVG has a background of its own, for light and dark pages. */
export function terminalSvg({ title, command, lines }: Terminal): string {
  const rows = [`$ ${command}`, "", ...lines];
  const width = Math.round(columns * columnWidth + 2 * margin);
  const height = rows.length * lineHeight + 2 * margin;
  const texts = rows.map((row, index) => {
    const y = margin + (index + 0.75) * lineHeight;
    const { colour, weight } = styleOf(row, index);
    return `<text x="${margin}" y="${y}" fill="${colour}" font-weight="${weight}">${escapeXml(cut(row))}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${colours.background}" stroke="${colours.border}"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="13">',
    ...texts,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function styleOf(row: string, index: number): { colour: string; weight: number } {
  if (index === 0) return { colour: colours.command, weight: 600 };
  if (/^[A-Z][a-z ]+$/.test(row)) return { colour: colours.heading, weight: 600 };
  if (row.startsWith("#") || row === "…") return { colour: colours.faint, weight: 400 };
  if (/^\w+: /.test(row) && !row.startsWith("Done")) return { colour: colours.failure, weight: 400 };
  return { colour: colours.text, weight: 400 };
}

/** Makes spaces non-breaking, because SVG draws several spaces as one. */
function cut(row: string): string {
  const fitting = row.length <= columns ? row : `${row.slice(0, columns - 1)}…`;
  return fitting.replaceAll(" ", "\u00a0");
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
