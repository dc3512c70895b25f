export { type Ended, type RunOptions, run } from "./command.ts";
export { runExamples, writeExampleProject } from "./example-project.ts";
export { type Example, examplesOf } from "./examples.ts";
export { checkTarball } from "./publishing.ts";
export { type Package, publishedPackages, root } from "./repository.ts";
export { pack } from "./tarballs.ts";
