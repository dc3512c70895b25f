import { commandLine } from "./command-line.ts";
import { demo } from "./demo.ts";
import { start } from "./start.ts";

try {
  await commandLine({ demo, start }).parseAsync();
} catch (error) {
  const { message, stack } = error as Error;
  // The usual cause is an option, a variable or a server, and the message names it.
  console.error(process.env.DEBUG ? stack : `users-api: ${message}`);
  process.exitCode = 1;
}
