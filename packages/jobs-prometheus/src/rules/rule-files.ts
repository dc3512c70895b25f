import { readFileSync } from "node:fs";
import { labelNamesOf, requirePrefix } from "../names.ts";

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

/**
 * Returns the rule files of this package for another prefix or other labels.
 *
 * @throws TypeError for a prefix or a label that `prometheusJobObserver` would refuse.
 */
export function ruleFiles({ prefix, attributeLabels }: RuleOptions): RuleFile[] {
  requirePrefix(prefix);
  const withoutLabels = ["instance", "pod", ...labelNamesOf(attributeLabels).values()].join(", ");
  const shortPrefix = prefix.replace(/_$/, "");
  return names.map((name) => ({
    name: name.replace("nidus-", shortPrefix && `${shortPrefix}-`),
    text: readFileSync(new URL(`../../rules/${name}`, import.meta.url), "utf8")
      .replaceAll("nidus_", prefix)
      .replaceAll("nidus:", shortPrefix && `${shortPrefix}:`)
      .replaceAll("(instance, pod", `(${withoutLabels}`),
  }));
}
