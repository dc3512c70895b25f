import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unescape as decoded } from "node:querystring";
import { run } from "./command.ts";
import { anchorsOf, linksOf } from "./markdown-document.ts";
import { root } from "./repository.ts";

/**
 * Finds broken links in the Markdown documents that git tracks in `folder`. A relative link must lead to a file, and its fragment to a
 * heading. Any other link must be a well-formed https URL. Nothing is fetched.
 *
 * @throws (rejects with) Error if git cannot list the documents.
 */
export async function checkLinks(folder: string = root): Promise<string[]> {
  const { isOk, output } = await run("git", ["ls-files", "-z", "*.md"], folder);
  if (!isOk) throw new Error(`git could not list the documents of ${folder}: ${output}`);
  return output
    .split("\0")
    .filter((path) => path !== "")
    .flatMap((path) => {
      const file = join(folder, path);
      return linksOf(readFileSync(file, "utf8")).flatMap((link) => {
        const problem = problemOf(link, file);
        return problem === undefined ? [] : [`${path}: ${link}: ${problem}`];
      });
    });
}

function problemOf(link: string, file: string): string | undefined {
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) {
    return URL.canParse(link) && new URL(link).protocol === "https:" ? undefined : "is no https URL";
  }
  const [path = "", fragment] = link.split("#", 2).map(decoded);
  const target = path === "" ? file : join(dirname(file), path);
  if (!existsSync(target)) return "leads to no file";
  if (fragment === undefined) return undefined;
  if (!target.endsWith(".md")) return "names a heading of what is no Markdown document";
  return anchorsOf(readFileSync(target, "utf8")).has(fragment) ? undefined : "leads to no heading";
}
