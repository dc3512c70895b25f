import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { runExample } from "../src/example-project.ts";
import { checkCodeBlocks, type Example, examplesIn, examplesOf } from "../src/examples.ts";

/** Creates a checkout with these documents. The end of the test removes it. */
function checkoutOf(documents: Readonly<Record<string, string>>): string {
  const checkout = mkdtempSync(join(tmpdir(), "nidus-documents-"));
  onTestFinished(() => rmSync(checkout, { recursive: true }));
  for (const group of ["packages", "apps/docs", "examples", "tools"])
    mkdirSync(join(checkout, group), { recursive: true });
  for (const [path, text] of Object.entries(documents)) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), text);
  }
  return checkout;
}

describe("the code blocks of the documents", () => {
  it("all run, or are no programs", () => {
    expect(checkCodeBlocks()).toEqual([]);
  });

  it.each([
    "```typescript",
    "```tsx",
    "```js",
    "```mjs",
    "```json",
    "```",
    "~~~ts",
    "````ts",
    "```ts no-run",
    "  ```ts",
    "- ```ts",
    "> ```ts",
  ])("do not escape: %s", (opening) => {
    const end = opening.replace(/[^`~]/g, "");
    const checkout = checkoutOf({
      "README.md": `# Top\n\n\`\`\`ts\nrun();\n\`\`\`\n\n${opening}\nescapes();\n${end}\n`,
    });
    expect(examplesOf(checkout)).toHaveLength(1);
    expect(checkCodeBlocks(checkout)).toEqual([expect.stringContaining(`README.md:8: a block that begins`)]);
  });

  it.each([
    "README.md",
    "apps/docs/page.md",
    "tools/bench/README.md",
    "examples/engine/README.md",
    "packages/jobs/README.md",
  ])("are found in %s, also if one does not end", (document) => {
    const text = "```sh\nls\n```\n\n```text\na\n```\n\n```python\nescapes()\n";
    expect(checkCodeBlocks(checkoutOf({ [document]: text }))).toEqual([
      expect.stringContaining(`${document}:10: `),
    ]);
  });

  it("tell which of them have tests", () => {
    const text = ["mock", "mock, test", "type TestContext"].map(
      (names) => `\`\`\`ts\nimport { ${names} } from "node:test";\n\`\`\`\n`,
    );
    const examples = examplesIn("README.md", checkoutOf({ "README.md": text.join("\n") }));
    expect(examples.map(({ hasTests }) => hasTests)).toEqual([false, true, false]);
  });
});

describe("an example that runs by itself", () => {
  const declares = (body: string) => `import { test } from "node:test";\n${body}`;

  it.each([
    ["console.log(1); // 1", []],
    ["console.log(1); // 2", ['README.md:2 did not print "2"']],
    ['throw new Error("broken");', ["broken"]],
    [declares('test("passes", () => {});'), []],
    [declares('test("fails", () => { throw new Error("broken"); });'), ["broken"]],
    [declares("void test;"), ["no test ran"]],
  ])("%j", async (code, problems) => {
    const checkout = checkoutOf({ "README.md": `\`\`\`ts\n${code}\n\`\`\`\n`, "example.mjs": code });
    const [example] = examplesIn("README.md", checkout);
    const found = await runExample("example.mjs", checkout, example as Example);
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(problem)));
  });
});
