import { invalidArgument, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { JobBackend } from "@nidus/jobs-durable/backend";
import type { DeclareTest } from "../contract/declare-test.ts";
import { type Behaviour, declareTests } from "../contract/test-plan.ts";
import { acting } from "./acting.ts";
import { address } from "./address.ts";
import {
  BackendKit,
  type BackendUnderTestOptions,
  type BackendWithOutage,
  type BackendWithRetentionOptions,
  type CreateBackend,
} from "./backend-kit.ts";
import { backlog } from "./backlog.ts";
import { cancelling } from "./cancelling.ts";
import { capabilities } from "./capabilities.ts";
import { closing } from "./closing.ts";
import { deliveries } from "./deliveries.ts";
import { fencing } from "./fencing.ts";
import { fetching } from "./fetching.ts";
import { inserting } from "./inserting.ts";
import { listing } from "./listing.ts";
import { lookup } from "./lookup.ts";
import { moments } from "./moments.ts";
import { nextRuns } from "./next-runs.ts";
import { notTested } from "./not-tested.ts";
import { order } from "./order.ts";
import { outage } from "./outage.ts";
import { outcomes } from "./outcomes.ts";
import { priorities } from "./priorities.ts";
import { progress } from "./progress.ts";
import { reclaim } from "./reclaim.ts";
import { renewal } from "./renewal.ts";
import { storedResults } from "./results.ts";
import { retention } from "./retention.ts";
import { retryHeaders } from "./retry-headers.ts";
import { schedules } from "./schedules.ts";
import { smoke } from "./smoke.ts";
import { snoozing } from "./snoozing.ts";
import { transactions } from "./transactions.ts";
import { uniqueKeys } from "./unique-keys.ts";

/** Options of {@link backendContract}. */
export interface BackendContractOptions {
  /** Declares a test: pass the `test` of vitest, its `it.concurrent`, or the `test` of `node:test`, as it is. */
  readonly test: DeclareTest;
  /** Makes the backends that are tested. */
  readonly createBackend: CreateBackend;
  /** How long the leases of the tests hold in which leases end, in milliseconds: a whole number from 1. @default 1,000 */
  readonly leaseMs?: number | undefined;
  /**
   * Runs `body` within a transaction of your store. Passes it the enqueue options that put an insert into that transaction, such as
   * `{ db }`. Commits if `body` resolves; rolls back and rejects with the same reason if it rejects. Needed if
   * `capabilities.transactions` is claimed.
   */
  readonly transaction?: ((body: (enqueueOptions: object) => Promise<void>) => Promise<void>) | undefined;
  /** Makes a backend whose server the test takes away. @default outages are not tested */
  readonly createOutage?: ((options: BackendUnderTestOptions) => Promise<BackendWithOutage>) | undefined;
  /**
   * Makes a backend that keeps ended jobs for as long as it is told, and deletes them within a minute of that. If your store has one
   * retention for all backends, give each a store of its own. @default retention is not tested
   */
  readonly createWithRetention?:
    | ((options: BackendWithRetentionOptions) => JobBackend | Promise<JobBackend>)
    | undefined;
  /** Texts that must stand in no address and no error, such as the password of the test's server. @default none */
  readonly secrets?: readonly string[] | undefined;
  /** How long a test may take, in milliseconds: a whole number from 1. @default 120,000 */
  readonly timeoutMs?: number | undefined;
}

const behaviours: Readonly<Record<string, Behaviour<BackendKit>>> = {
  deliveries,
  order,
  priorities,
  inserting,
  "unique keys": uniqueKeys,
  fetching,
  outcomes,
  snoozing,
  progress,
  "headers of a retry": retryHeaders,
  results: storedResults,
  cancelling,
  moments,
  reclaim,
  renewal,
  fencing,
  backlog,
  lookup,
  listing,
  acting,
  address,
  closing,
  outage,
  retention,
  transactions,
  schedules,
  "next runs of schedules": nextRuns,
  capabilities,
  "not tested": notTested,
};

const known = [
  ...["test", "createBackend", "leaseMs", "transaction"],
  ...["createOutage", "createWithRetention", "secrets", "timeoutMs"],
];

const optionalFunctions = ["transaction", "createOutage", "createWithRetention"];

/**
 * Declares the tests of the port that every backend passes: leases, fencing, order, races and outages, call by call, which no
 * test through an engine sees. A smoke test comes first: if it fails, the others say so at once. Tests use job names of their
 * own, so that they can share a store and run at the same time, and close the backends that they open.
 *
 * @throws TypeError or RangeError for an option that is not as documented, or not known.
 */
export function backendContract(options: BackendContractOptions): void {
  requireKnownKeys("the options of backendContract", options, known);
  const { test, createBackend, leaseMs = 1_000, transaction, createOutage, secrets = [] } = options;
  const { createWithRetention, timeoutMs = 120_000 } = options;
  const functions = { test, createBackend, transaction, createOutage, createWithRetention };
  for (const [name, value] of Object.entries(functions)) {
    const isOptional = optionalFunctions.includes(name);
    if (typeof value !== "function" && !(isOptional && value === undefined)) {
      throw invalidArgument(`\`${name}\``, "a function", value);
    }
  }
  if (!Array.isArray(secrets) || secrets.some((secret) => typeof secret !== "string" || secret === "")) {
    throw new TypeError("expected `secrets` to be an array of non-empty strings");
  }
  requireWholeNumber("`leaseMs`", leaseMs);
  requireWholeNumber("`timeoutMs`", timeoutMs);
  const fixtures = { createBackend, leaseMs, transaction, createOutage, createWithRetention, secrets };
  declareTests({
    test,
    limitMs: timeoutMs,
    openKit: (onError) => new BackendKit(fixtures, onError),
    smoke,
    behaviours,
  });
}
