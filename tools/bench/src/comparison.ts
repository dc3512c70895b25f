/** One side of a comparison: repeated work. */
export interface Side {
  readonly label: string;
  /** Repeats the work `operations` times, so that the cost of the call does not count. */
  readonly run: () => unknown;
}

/** The target of a ratio: of our time to the peer's, or of the peer's to ours. */
export type Asked = { readonly atMost: number } | { readonly timesFaster: number } | undefined;

/** Our code and a peer's that do the same work. */
export interface Comparison {
  readonly id: string;
  readonly title: string;
  readonly operations: number;
  readonly ours: Side;
  readonly peer: Side;
  /** Runs once, before the sides are measured. */
  readonly prepare?: () => void;
  readonly asked: Asked;
  /** Fewer rounds, for work that takes a good part of a second. @default the rounds of the whole run */
  readonly rounds?: number;
  /** Whether each sample follows a full garbage collection, which is not measured. @default false */
  readonly followsCollection?: boolean;
  /** A note that readers need to understand the figure. */
  readonly note?: string;
}

/** A figure that does not compare two times: bytes, milliseconds, counts. */
export interface Reading {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly value: number;
  readonly asked: { readonly atMost: number } | { readonly atLeast: number } | undefined;
  readonly note?: string;
}

/** The median of measured values, and the quarters above and below it. */
export interface Spread {
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
}

/** A measured comparison. Times are nanoseconds an operation. */
export interface Measured {
  readonly id: string;
  readonly title: string;
  readonly ours: Spread & { readonly label: string };
  readonly peer: Spread & { readonly label: string };
  /** Our time over the peer's. If the target is how many times faster we are, the peer's over ours. */
  readonly ratio: Spread;
  readonly asked: Asked;
  readonly isMet: boolean | undefined;
  readonly note?: string;
}

/** Tells whether a reading meets its target. Undefined if it has none. */
export function isReadingMet({ asked, value }: Reading): boolean | undefined {
  if (asked === undefined) return undefined;
  return "atMost" in asked ? value <= asked.atMost : value >= asked.atLeast;
}
