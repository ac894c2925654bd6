/** Sums of traffic counters. */
import { NO_TRAFFIC, type TrafficCounters } from "../../ipc/link.ts";

export function addCounters(left: TrafficCounters, right: TrafficCounters): TrafficCounters {
  return {
    connectionsAccepted: left.connectionsAccepted + right.connectionsAccepted,
    connectionsOpen: left.connectionsOpen + right.connectionsOpen,
    requestsServed: left.requestsServed + right.requestsServed,
    requestsFailed: left.requestsFailed + right.requestsFailed,
    requestsRefused: left.requestsRefused + right.requestsRefused,
    connectionsReset: left.connectionsReset + right.connectionsReset,
  };
}

export function sumCounters(all: Iterable<TrafficCounters>): TrafficCounters {
  let sum = NO_TRAFFIC;
  for (const each of all) sum = addCounters(sum, each);
  return sum;
}
