import { setParams } from "../route.ts";

/** A text field that narrows the list. Its text is in the address. */
export function Filter({ value, label }: { value: string; label: string }) {
  return (
    <label class="filter">
      <span class="hidden">{label}</span>
      <input
        type="search"
        data-filter
        placeholder={label}
        value={value}
        onInput={(event) => setParams({ q: event.currentTarget.value })}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

/** Tells whether one of the texts contains all words of the filter. */
export function matches(filter: string, ...texts: readonly (string | null)[]): boolean {
  const all = texts.join("\n").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** A choice among few values. The chosen one is in the address. */
export function Choice(props: {
  label: string;
  param: string;
  value: string;
  options: readonly {
    readonly value: string;
    readonly label: string;
    readonly count?: number;
    readonly kind?: string;
  }[];
  onChoose?: (value: string) => void;
}) {
  const {
    label,
    param,
    value,
    options,
    onChoose = (chosen) => setParams({ [param]: chosen, cursor: null }),
  } = props;
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          class={option.kind ?? ""}
          onClick={() => onChoose(option.value)}
        >
          {option.label}
          {option.count !== undefined && <b>{option.count.toLocaleString("en")}</b>}
        </button>
      ))}
    </div>
  );
}
