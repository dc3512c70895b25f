import type { ObservedJobContext } from "@nidus/jobs-observe";
import { JobSeries, type Labels } from "./job-series.ts";
import { labelValueOf, overflowLabel } from "./label-value.ts";

const noAttributes = {};

type Level = Map<string, Level | JobSeries>;

/** Finds the series of a label set: a job name and the values of the attributes that are labels. Their number is bounded. */
export class SeriesTable {
  readonly #maxSeries: number;
  readonly #attributeLabels: ReadonlyMap<string, string>;
  readonly #byName: Level = new Map();
  readonly #all: JobSeries[] = [];
  readonly #isByNameAlone: boolean;
  #overflow: JobSeries | undefined;

  constructor(maxSeries: number, attributeLabels: ReadonlyMap<string, string>) {
    this.#maxSeries = maxSeries;
    this.#attributeLabels = attributeLabels;
    this.#isByNameAlone = attributeLabels.size === 0;
  }

  get all(): readonly JobSeries[] {
    return this.#all;
  }

  /** Returns the series of a run's job name and attributes. The first call makes it. */
  of(run: Pick<ObservedJobContext, "jobName" | "attributes">): JobSeries {
    if (!this.#isByNameAlone) return this.#byAttributes(run);
    const { jobName } = run;
    return (this.#byName.get(jobName) as JobSeries | undefined) ?? this.#create([jobName]);
  }

  /** Returns the series of a job apart from its runs: only they have attributes. */
  ofJob(jobName: string): JobSeries {
    return this.of({ jobName, attributes: noAttributes });
  }

  #byAttributes({ jobName, attributes }: Pick<ObservedJobContext, "jobName" | "attributes">): JobSeries {
    const values = [jobName];
    for (const key of this.#attributeLabels.keys()) {
      values.push(Object.hasOwn(attributes, key) ? String(attributes[key]) : "");
    }
    return this.#find(values) ?? this.#create(values);
  }

  #find(values: readonly string[]): JobSeries | undefined {
    let level: Level | JobSeries | undefined = this.#byName;
    for (const value of values) level = (level as Level | undefined)?.get(value);
    return level as JobSeries | undefined;
  }

  #create(given: readonly string[]): JobSeries {
    const values = given.map(labelValueOf);
    const known = this.#find(values);
    if (known !== undefined) return known;
    if (
      this.#all.length - (this.#overflow === undefined ? 0 : 1) >= this.#maxSeries ||
      values[0] === overflowLabel
    ) {
      this.#overflow ??= this.#add(values.map(() => overflowLabel));
      return this.#overflow;
    }
    const series = this.#add(values);
    let level = this.#byName;
    for (const value of values.slice(0, -1)) {
      const next = (level.get(value) as Level | undefined) ?? new Map();
      level.set(value, next);
      level = next;
    }
    level.set(internalized(values.at(-1) as string), series);
    return series;
  }

  #add(values: readonly string[]): JobSeries {
    const names = ["job_name", ...this.#attributeLabels.values()];
    const labels: Labels = Object.fromEntries(names.map((name, index) => [name, values[index] as string]));
    const series = new JobSeries(labels);
    this.#all.push(series);
    return series;
  }
}

/** Returns the text as V8 keeps property names: a Map finds it by its address, as most job names are literals of a program. */
function internalized(text: string): string {
  return Object.keys({ [text]: undefined })[0] as string;
}
