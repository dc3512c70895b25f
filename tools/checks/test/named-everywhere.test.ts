import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { checkNamedEverywhere } from "../src/named-everywhere.ts";
import { root } from "../src/repository.ts";

it("finds every package, engine and metric of this repository named in every list", () => {
  expect(checkNamedEverywhere()).toEqual([]);
});

it("says which file lacks a new package, engine and metric", () => {
  const checkout = mkdtempSync(join(tmpdir(), "nidus-lists-"));
  onTestFinished(() => rmSync(checkout, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), text);
  };
  for (const path of [
    "README.md",
    "ARCHITECTURE.md",
    "tools/checks/src/dependency-direction.ts",
    "tools/bench/src/rows/packages.ts",
    "apps/docs/choosing-an-engine.md",
    "tests/observation/test/same-observation.test.ts",
    "tests/observation/test/untraced-bookkeeping.test.ts",
    "tests/crash/src/open-engine.ts",
    "packages/jobs-durable/README.md",
    "packages/jobs-prometheus/README.md",
  ]) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    cpSync(join(root, path), join(checkout, path));
  }
  write("packages/jobs-prometheus/src/exposition/metrics.ts", '    name: "jobs_lost_total",\n');
  write("packages/jobs-acme/package.json", '{ "name": "@nidus/jobs-acme", "exports": {} }');
  write("packages/jobs-acme/src/acme-backend.ts", "");
  for (const name of ["jobs-durable", "jobs-prometheus"]) {
    write(`packages/${name}/package.json`, '{ "private": true }');
  }
  const found = checkNamedEverywhere(checkout);
  expect(found.filter((problem) => problem.endsWith("does not name the package jobs-acme"))).toHaveLength(4);
  expect(found.filter((problem) => problem.endsWith("does not name the engine jobs-acme"))).toHaveLength(5);
  expect(found.slice(9)).toEqual([
    "packages/jobs-prometheus/README.md does not name the metric nidus_jobs_lost_total",
  ]);
});
