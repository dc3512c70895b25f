// Bundles the browser code into a module of strings, so that the page needs no file at run time.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const bundle = (file) =>
  buildSync({
    entryPoints: [path(`src/browser/${file}`)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["chrome111", "firefox115", "safari16.4"],
    // Calls of `h` compress better than those of the automatic transform, which the editor and the type check use.
    jsx: "transform",
    jsxFactory: "h",
    jsxFragment: "Fragment",
    inject: [fileURLToPath(import.meta.resolve("preact"))],
    tsconfigRaw: {},
    logLevel: "error",
    charset: "utf8",
  }).outputFiles[0].text.trim();

const script = bundle("main.tsx");
const style = bundle("app.css");
const html = readFileSync(path("src/browser/index.html"), "utf8");
const tag = createHash("sha256").update(script).update(style).update(html).digest("base64url").slice(0, 16);

const constants = { appScript: script, appStyle: style, indexHtml: html, assetTag: `"${tag}"` };
const text = Object.entries(constants).map(
  ([name, value]) => `export const ${name}: string = ${JSON.stringify(value)};\n`,
);
const file = path("src/browser-assets.ts");
const module_ = `// Made by build-browser.js of the files in src/browser.\n${text.join("")}`;

const isCurrent = () => {
  try {
    return readFileSync(file, "utf8") === module_;
  } catch {
    return false;
  }
};
if (!isCurrent()) writeFileSync(file, module_);
