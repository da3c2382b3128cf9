internal import GossipCore
internal import NodeCore

extension World {
  /// Adds what a node's core counted in the life that ends.
  func collectProbes(of index: Int) {
    guard let counters = nodes[index].withMachine({ $0.gossip.counters }) else { return }
    probes[.bundleParked] += counters.parked
    probes[.duplicateReceived] += counters.duplicates
    probes[.futureDelayed] += counters.future
    probes[.strangerRefused] += counters.foreign
    ledger.spread.deliveries += counters.applied
    ledger.spread.duplicates += counters.duplicates
    ledger.spread.handedOn += counters.handedOn
  }
}
