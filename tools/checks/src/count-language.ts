import { countHabits } from "./language.ts";

// `node tools/checks/dist/count-language.js apps/docs` prints every place below a path, and counts.
for (const { name, limit, perThousandWords, places } of await countHabits(undefined, process.argv[2])) {
  for (const { path, line, text } of places) console.log(`${path}:${line}: ${text}`);
  console.log(`${perThousandWords.toFixed(2)} per 1,000 words (limit ${limit}): ${name}\n`);
}
