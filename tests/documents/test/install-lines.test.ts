import { readFileSync } from "node:fs";
import { codeBlocksOf, publishedPackages } from "checks";
import { describe, expect, it } from "vitest";

/** The name of a package, of which a program may import a subpath. */
const nameIn = /^(@[^/@]+\/)?[^/@]+/;

/** Applications with OpenTelemetry have it, in the version of their SDK. */
const broughtByTheSdk = "@opentelemetry/api";

describe("the README of a package", () => {
  it.each(publishedPackages().map(({ manifest, folder }) => [manifest.name, folder]))(
    "installs what its programs import: %s",
    (_name, folder) => {
      const blocks = codeBlocksOf(readFileSync(`${folder}/README.md`, "utf8"));
      const installed = new Set<string | undefined>([broughtByTheSdk]);
      const missing: string[] = [];
      for (const { opening, code, line } of blocks) {
        for (const [, words = ""] of code.matchAll(/^npm install ([^#\n]*)/gm)) {
          for (const word of words.trim().split(/\s+/)) installed.add(nameIn.exec(word)?.[0]);
        }
        if (opening !== "```ts") continue;
        for (const [, specifier = ""] of code.matchAll(/from "(?!node:|\.)([^"]+)"/g)) {
          const name = nameIn.exec(specifier)?.[0];
          if (!installed.has(name)) missing.push(`${name} of line ${line}`);
        }
      }
      expect(missing).toEqual([]);
    },
  );
});
