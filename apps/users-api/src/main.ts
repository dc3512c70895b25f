import { help, parseArguments } from "./arguments.ts";
import { demo } from "./demo/demo.ts";
import { start } from "./start.ts";
import { isSaidInOneLine } from "./user-error.ts";

/** Runs the command and resolves to the exit status. */
async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if (parsed.command === "help") {
    process.stdout.write(help);
    return 0;
  }
  return parsed.command === "demo" ? demo(parsed) : start(parsed);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(isSaidInOneLine(error) ? `users-api: ${error.message}` : error);
  process.exitCode = 1;
}
