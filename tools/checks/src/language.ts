import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import { sentencesOf } from "./prose.ts";
import { root } from "./repository.ts";

/** A habit of language that makes text hard to read, and how often it may occur. */
interface Habit {
  readonly name: string;
  /** Occurrences per 1,000 words. */
  readonly limit: number;
  /** Finds every occurrence in a sentence. */
  readonly pattern: RegExp;
}

const habits: readonly Habit[] = [
  {
    name: "sentences that open with What, Who, That which, Those who, One that",
    limit: 0.5,
    // A question may open so.
    pattern:
      /^["“(]?(?:What|Who|Whose|That which|Those (?:who|that|which)|One (?:who|that|which))\b(?!.*\?["”)]?$)/g,
  },
  {
    name: "nobody, somebody, anybody, whoever, anyone's",
    limit: 0.3,
    pattern: /\b(?:(?:no|some|any)body|whoever|anyone's)\b/gi,
  },
  { name: "where", limit: 2, pattern: /\bwhere\b/gi },
];

/** Generated documents, and texts of others: their words are not ours. */
const notWritten =
  /\.api\.md$|(?:^|\/)CHANGELOG\.md$|^CODE_OF_CONDUCT\.md$|^tools\/(?:bench\/results\/|runtimes\/results)/;

/** The number of places that are listed for a habit. */
const listed = 40;

/** An occurrence of a habit. */
interface Place {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** The number of times that a habit occurs in the prose of a checkout. */
export interface HabitCount {
  readonly name: string;
  readonly limit: number;
  readonly perThousandWords: number;
  /** Places in the files with most of them first. */
  readonly places: readonly Place[];
}

/**
 * Counts habits of language in the comments and Markdown documents that git tracks in `folder`.
 *
 * @param under Counts only below this path, such as "apps/docs".
 * @throws (rejects with) Error if git cannot list the files.
 */
export async function countHabits(folder: string = root, under = "."): Promise<HabitCount[]> {
  const { isOk, output } = await run("git", ["ls-files", "-z", "--", under], folder);
  if (!isOk) throw new Error(`git could not list the files of ${folder}: ${output}`);
  const paths = output.split("\0").filter((path) => /\.(?:ts|md)$/.test(path) && !notWritten.test(path));
  let words = 0;
  const places = habits.map((): Place[] => []);
  for (const path of paths) {
    for (const { line, text } of sentencesOf(path, readFileSync(join(folder, path), "utf8"))) {
      words += text.split(/\s+/).length;
      for (const [index, { pattern }] of habits.entries())
        for (const _ of text.matchAll(pattern)) places[index]?.push({ path, line, text });
    }
  }
  return habits.map(({ name, limit }, index) => {
    const found = places[index] as Place[];
    return {
      name,
      limit,
      perThousandWords: words === 0 ? 0 : (found.length * 1_000) / words,
      places: byFile(found),
    };
  });
}

/** Describes the habits that occur more often than their limit, each with its worst places. */
export async function checkLanguage(folder: string = root): Promise<string[]> {
  return (await countHabits(folder))
    .filter(({ limit, perThousandWords }) => perThousandWords > limit)
    .map(({ name, limit, perThousandWords, places }) =>
      [
        `${name}: ${perThousandWords.toFixed(2)} per 1,000 words, and the limit is ${limit}. The worst files:`,
        ...places.slice(0, listed).map(({ path, line, text }) => `  ${path}:${line}: ${text}`),
      ].join("\n"),
    );
}

function byFile(places: readonly Place[]): Place[] {
  const counts = new Map<string, number>();
  for (const { path } of places) counts.set(path, (counts.get(path) ?? 0) + 1);
  return places.toSorted((a, b) => (counts.get(b.path) ?? 0) - (counts.get(a.path) ?? 0) || compare(a, b));
}

function compare(a: Place, b: Place): number {
  return a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1;
}
