import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { appScript, appStyle, indexHtml } from "../src/browser-assets.ts";

test("the browser loads at most 25 kB, compressed", () => {
  const bytes = [appScript, appStyle, indexHtml].map((text) => gzipSync(text, { level: 9 }).length);
  expect(bytes.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(25_000);
});

test("the page needs no inline script or style, and nothing of another origin", () => {
  expect(indexHtml).not.toMatch(/<script(?![^>]* src=)|<style|style=|\son\w+=/);
  expect(`${indexHtml}${appStyle}`.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(
    /https?:|url\(|@import/,
  );
});
