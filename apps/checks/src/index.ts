export { run } from "./command.ts";
export { publishedPackages } from "./repository.ts";
export { pack } from "./tarballs.ts";
