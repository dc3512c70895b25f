import { commandLine } from "./arguments.ts";
import { demo } from "./demo/demo.ts";
import { start } from "./start.ts";
import { isSaidInOneLine } from "./user-error.ts";

try {
  await commandLine({ demo, start }).parseAsync();
} catch (error) {
  console.error(isSaidInOneLine(error) ? `users-api: ${error.message}` : error);
  process.exitCode = 1;
}
