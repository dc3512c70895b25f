#!/usr/bin/env node
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ruleFiles } from "./rule-files.ts";

const usage = `Usage: npx @nidus/jobs-prometheus rules [options]

Writes the recording rules and alerts for Prometheus.

  --prefix PREFIX              the observer's prefix (default: nidus_)
  --attribute-labels A,B       the observer's attributeLabels (default: none)
  --output FOLDER              a folder that exists (default: the current one)
`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      prefix: { type: "string", default: "nidus_" },
      "attribute-labels": { type: "string", default: "" },
      output: { type: "string", default: "." },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || positionals.join() !== "rules") {
    process.stdout.write(usage);
    if (!values.help) process.exitCode = 1;
  } else {
    const labels = values["attribute-labels"].split(",").map((label) => label.trim());
    const attributeLabels = labels.filter((label) => label !== "");
    for (const { name, text } of ruleFiles({ prefix: values.prefix, attributeLabels })) {
      const path = join(values.output, name);
      writeFileSync(path, text);
      console.log(path);
    }
  }
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
}
