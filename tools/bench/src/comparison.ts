/** One side of a comparison: work that is repeated. */
export interface Side {
  readonly label: string;
  /** Does the work `operations` times, so that the cost of calling it does not count. */
  readonly run: () => unknown;
}

/** What is asked of a ratio: of our time to the peer's, or of the peer's to ours. */
export type Asked = { readonly atMost: number } | { readonly timesFaster: number } | undefined;

/** Ours and a peer, doing the same work. */
export interface Comparison {
  readonly id: string;
  readonly title: string;
  readonly operations: number;
  readonly ours: Side;
  readonly peer: Side;
  /** Called once, before the sides are measured. */
  readonly prepare?: () => void;
  readonly asked: Asked;
  /** Fewer rounds, for work that takes a good part of a second. @default what the whole run is given */
  readonly rounds?: number;
  /** Whether each sample follows a full garbage collection, which is not measured. @default false */
  readonly followsCollection?: boolean;
  /** What a reader has to know to read the figure. */
  readonly note?: string;
}

/** A figure that is no comparison of two times: bytes, milliseconds, counts. */
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

/** A comparison that was measured. Times are nanoseconds an operation. */
export interface Measured {
  readonly id: string;
  readonly title: string;
  readonly ours: Spread & { readonly label: string };
  readonly peer: Spread & { readonly label: string };
  /** Our time over the peer's, or the peer's over ours where it is asked how many times faster we are. */
  readonly ratio: Spread;
  readonly asked: Asked;
  readonly isMet: boolean | undefined;
  readonly note?: string;
}

/** Whether a reading is as it is asked to be, or undefined where nothing is asked. */
export function isReadingMet({ asked, value }: Reading): boolean | undefined {
  if (asked === undefined) return undefined;
  return "atMost" in asked ? value <= asked.atMost : value >= asked.atLeast;
}
