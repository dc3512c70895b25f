import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkLinks } from "../src/links.ts";
import { anchorsOf, linksOf } from "../src/markdown-document.ts";
import { repositoryOf } from "./support/repository-of.ts";

describe("the links of the documents", () => {
  it("lead somewhere", async () => {
    expect(await checkLinks()).toEqual([]);
  });

  it("may lead to files, folders, headings, and by https to other sites", async () => {
    const folder = await repositoryOf({
      "README.md":
        "# Top\n[a](docs/a.md) [its part](docs/a.md#one-part) [itself](#top) [docs](docs) <https://example.org/>",
      "docs/a.md": '## One part\n![drawing](../a%20b.svg "A drawing")\n\n[back]: ../README.md#top\n',
      "a b.svg": "<svg/>",
    });
    expect(await checkLinks(folder)).toEqual([]);
  });

  it("that lead nowhere are found, with their document", async () => {
    const folder = await repositoryOf({
      "README.md": "[a](gone.md) [b](docs/a.md#gone) [c](#gone) [d](docs/a.txt#part)\n\n[e]: docs/gone.md",
      "docs/a.md": "[f](http://example.org) [g](https://) <mailto:ada@example.org> [h](//example.org)",
      "docs/a.txt": "part",
    });
    expect(await checkLinks(folder)).toEqual([
      "README.md: gone.md: leads to no file",
      "README.md: docs/a.md#gone: leads to no heading",
      "README.md: #gone: leads to no heading",
      "README.md: docs/a.txt#part: names a heading of what is no Markdown document",
      "README.md: docs/gone.md: leads to no file",
      "docs/a.md: http://example.org: is no https URL",
      "docs/a.md: https://: is no https URL",
      "docs/a.md: mailto:ada@example.org: is no https URL",
      "docs/a.md: //example.org: is no https URL",
    ]);
  });

  it("are ignored in documents that git does not track", async () => {
    const folder = await repositoryOf({ "README.md": "# Top" });
    await writeFile(join(folder, "notes.md"), "[a](gone.md)");
    expect(await checkLinks(folder)).toEqual([]);
  });

  it("cannot be checked without a repository", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nidus-links-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await expect(checkLinks(folder)).rejects.toThrow("git could not list the documents");
  });
});

describe("the links of a document", () => {
  it("are those of text, images, references, angle brackets and HTML", () => {
    const text = '[a](1) [![b](2)](3) [`c`](4_(x)) <https://5> <a href="6">\n[d]: 7\n';
    expect(linksOf(text)).toEqual(["1", "2", "3", "4_(x)", "https://5", "6", "7"]);
  });

  it("do not include those in code", () => {
    expect(linksOf("`[a](1)` ``[b](`2`)`` and\n```sh\n[c](3)\n```\n~~~\n[d](4)\n~~~\n[e](5)")).toEqual(["5"]);
  });
});

describe("the anchors of a document", () => {
  it.each([
    ["# What can go wrong, and how it shows", "what-can-go-wrong-and-how-it-shows"],
    ["## 2. `enqueue` into an engine", "2-enqueue-into-an-engine"],
    ["### Über [the page](page.md): a_b & c", "über-the-page-a_b--c"],
    ["## Closed ##", "closed"],
  ])("of %s", (heading, anchor) => {
    expect([...anchorsOf(heading)]).toEqual([anchor]);
  });

  it("are numbered if a heading repeats, and ignore comments in code", () => {
    expect([...anchorsOf("# A\n## A\n```sh\n# no heading\n```\n## A")]).toEqual(["a", "a-1", "a-2"]);
  });
});
