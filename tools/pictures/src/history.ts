import { execFileSync } from "node:child_process";

interface Author {
  readonly name: string;
  readonly address: string;
  readonly commits: number;
}

/** The authors of the drawn history. The address of the last one is unusable, so that the picture shows failed jobs. */
const authors: readonly Author[] = [
  { name: "Ada Lovelace", address: "ada@example.org", commits: 12 },
  { name: "Grace Hopper", address: "grace@example.org", commits: 12 },
  { name: "Barbara Liskov", address: "barbara@example.org", commits: 12 },
  { name: "Radia Perlman", address: "radia@example.org", commits: 12 },
  { name: "Build Bot", address: "build-bot", commits: 2 },
];

/** The first Monday of 2026, in Unix seconds: each author commits once a week from then on. */
const startSeconds = Date.UTC(2026, 0, 5) / 1_000;
const weekSeconds = 7 * 24 * 60 * 60;

/** Makes a small git repository in `folder`, the same each time. */
export function makeHistory(folder: string): void {
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", folder]);
  execFileSync("git", ["-C", folder, "fast-import", "--quiet"], { input: fastImport() });
}

function fastImport(): string {
  const commits = authors.flatMap(({ name, address, commits }) =>
    Array.from({ length: commits }, (_, week) => {
      const by = `${name} <${address}> ${startSeconds + week * weekSeconds} +0000`;
      return `commit refs/heads/main\nauthor ${by}\ncommitter ${by}\ndata 4\nwork\n`;
    }),
  );
  return `${commits.join("\n")}\n`;
}
