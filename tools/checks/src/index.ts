export { bundledBytes } from "./bundled-bytes.ts";
export { type Ended, type RunOptions, run } from "./command.ts";
export { runExample, runExamples, writeExampleProject } from "./example-project.ts";
export { type Example, examplesIn, examplesOf } from "./examples.ts";
export { type CodeBlock, codeBlocksOf } from "./markdown-document.ts";
export { type PageBlock, pageBlocksOf, scriptOf } from "./page.ts";
export { checkTarball } from "./publishing.ts";
export { type Package, publishedPackages, root } from "./repository.ts";
export { pack } from "./tarballs.ts";
