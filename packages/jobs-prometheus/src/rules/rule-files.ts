import { readFileSync } from "node:fs";

/** A file of rules for Prometheus. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/** How rules are made for other metrics than those of the default options. */
export interface RuleOptions {
  /** The `prefix` of the observer, such as "acme_". */
  readonly prefix: string;
  /** The `attributeLabels` of the observer. Alerts aggregate over them. */
  readonly attributeLabels: readonly string[];
}

const names = ["nidus-recording.yml", "nidus-alerts.yml", "nidus-error-budget.yml"];

const identifier = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Returns the rule files of this package for another prefix or other labels.
 *
 * @throws TypeError for a prefix or a label that Prometheus would refuse.
 */
export function ruleFiles({ prefix, attributeLabels }: RuleOptions): RuleFile[] {
  for (const each of [prefix, ...attributeLabels]) {
    if (!identifier.test(each))
      throw new TypeError(`expected letters, digits and underscores, got "${each}"`);
  }
  const withoutLabels = ["instance", "pod", ...attributeLabels].join(", ");
  return names.map((name) => ({
    name: name.replace("nidus-", `${prefix.replace(/_$/, "")}-`),
    text: readFileSync(new URL(`../../rules/${name}`, import.meta.url), "utf8")
      .replaceAll("nidus_", prefix)
      .replaceAll("nidus:", `${prefix.replace(/_$/, "")}:`)
      .replaceAll("(instance, pod", `(${withoutLabels}`),
  }));
}
