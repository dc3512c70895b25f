import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkLanguage, countHabits } from "../src/language.ts";
import { sentencesOf } from "../src/prose.ts";
import { repositoryOf } from "./support/repository-of.ts";

const sentences = (path: string, text: string) =>
  sentencesOf(path, text).map((sentence) => `${sentence.line}: ${sentence.text}`);

describe("sentences", () => {
  it("of Markdown leave out code, headings and markup", () => {
    const text = [
      "# What a heading says",
      "One goes on",
      "to the [next line](page.md). Another has `code. Of its own`.",
      "- An **item**",
      "```ts",
      "// A comment in code.",
      "```",
      "| A cell | `a | b` and another |",
      "|---|---|",
    ];
    expect(sentences("a.md", text.join("\n"))).toEqual([
      "2: One goes on to the next line.",
      "2: Another has _.",
      "4: An item",
      "8: A cell",
      "8: _ and another",
    ]);
  });

  it("of TypeScript are those of its comments", () => {
    const text = [
      "/** Stores a job. Resolves when it is stored. */",
      "const a = 'https://example.org // no comment';",
      "/**",
      " * Waits for {@link b}",
      " * to end.",
      " *",
      " * @param signal Ends the wait.",
      " * ```ts",
      " * code();",
      " * ```",
      " */",
      "b(); // Says why.",
      "// Goes on",
      "// here.",
    ];
    expect(sentences("a.ts", text.join("\n"))).toEqual([
      "1: Stores a job.",
      "1: Resolves when it is stored.",
      "4: Waits for {@link b} to end.",
      "7: Ends the wait.",
      "12: Says why.",
      "12: Goes on here.",
    ]);
  });
});

describe("the language check", () => {
  const habitOf = async (text: string) => {
    const counts = await countHabits(await repositoryOf({ "a.md": text }));
    return counts.filter(({ places }) => places.length > 0).map(({ name }) => name.split(/[ ,]/, 1)[0]);
  };

  it.each([
    ["What it stores is a job.", "sentences"],
    ["It runs. Who waits is told.", "sentences"],
    ["| That which waits |", "sentences"],
    ["- One that failed runs again.", "sentences"],
    ["Those who wait are told.", "sentences"],
    ["Whoever waits is told.", "nobody"],
    ["It is nobody's job.", "nobody"],
    ["It fails where the store is away.", "where"],
  ])("counts in: %s", async (text, habit) => {
    expect(await habitOf(text)).toEqual([habit]);
  });

  it.each([
    "What happens if the store is away?",
    "# What can go wrong",
    "`where` is a clause, and `nobody` a name.",
    "One job runs. Those jobs wait.",
  ])("lets pass: %s", async (text) => {
    expect(await habitOf(text)).toEqual([]);
  });

  it("counts per 1,000 words", async () => {
    const folder = await repositoryOf({ "a.md": `It runs where it is. ${"Word ".repeat(195)}` });
    expect((await countHabits(folder)).map((count) => count.perThousandWords)).toEqual([0, 0, 5]);
    expect((await countHabits(folder, "docs")).map((count) => count.perThousandWords)).toEqual([0, 0, 0]);
  });

  it("lists places above the limit alone, from the worst file on", async () => {
    const folder = await repositoryOf({
      "a.md": "It fails where it runs.",
      "src/b.ts": "// It fails where it runs.\nrun();\n// It stops where it runs.\n",
      "api/c.api.md": "It fails where it runs.",
    });
    const [problem, ...others] = await checkLanguage(folder);
    expect(others).toEqual([]);
    expect(problem?.split("\n").slice(1)).toEqual([
      "  src/b.ts:1: It fails where it runs.",
      "  src/b.ts:3: It stops where it runs.",
      "  a.md:1: It fails where it runs.",
    ]);
    const long = "Word ".repeat(2_000);
    expect(await checkLanguage(await repositoryOf({ "a.md": `It fails where it runs. ${long}` }))).toEqual(
      [],
    );
  });

  it("fails if there is no repository", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nidus-language-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await expect(checkLanguage(folder)).rejects.toThrow("git could not list the files");
  });
});
