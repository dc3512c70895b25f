import { Script } from "./script.ts";

/**
 * Moves a job that has just succeeded among the completed ones, so that it is as old as the others when its own retention ends: when a
 * job ends, BullMQ removes all completed jobs that are older than that job's age. KEYS: the first part of the queue's keys. ARGV: id,
 * the milliseconds by which the job's own retention is longer than the engine's.
 */
export const moveByRetention: Script = new Script(
  "nidusRetain",
  1,
  `
local finishedAt = redis.call('HGET', KEYS[1] .. ARGV[1], 'finishedOn')
if finishedAt then redis.call('ZADD', KEYS[1] .. 'completed', 'XX', finishedAt + ARGV[2], ARGV[1]) end`,
);
