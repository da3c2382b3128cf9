package import Records

extension Raft {
  /// This member's name.
  package var id: RaftID { member.id }

  /// Whether this member leads.
  package var isLeader: Bool { role == .leader }

  /// The configuration in force: the last one in the log, committed or not.
  package var configuration: RaftConfiguration { configurations.current }

  /// The entry that names the configuration in force.
  package var configurationIndex: UInt64 { configurations.currentIndex }

  /// The last committed configuration.
  package var committedConfiguration: RaftConfiguration {
    configurations.configuration(at: commit) ?? RaftConfiguration()
  }

  /// The last entry of the log.
  package var lastIndex: UInt64 { log.lastIndex }

  /// The first entry that is still in the log.
  package var firstIndex: UInt64 { log.baseIndex + 1 }

  /// Everything up to here is durable, and nothing under way to the disk will undo it.
  package var persistedIndex: UInt64 { disk.persistedIndex }

  /// The last entry that the newest snapshot reflects; 0 when there is none.
  package var snapshotIndex: UInt64 { snapshot?.head.index ?? 0 }

  /// What this leader knows of the other members, by ascending name; empty at who does not lead.
  package var peers: [RaftProgress] { progress }

  /// Bytes of entries that this leader has taken and not yet committed.
  package var pendingProposalBytes: Int { uncommittedBytes }

  /// Whether an entry of this leader's own term is committed: reads and changes wait for that.
  package var isTermEstablished: Bool { isLeader && commit >= termStart }

  /// Whether this leader is handing its office over.
  package var isTransferring: Bool { transfer != nil }

  /// The term of an entry that is still in the log.
  package func entryTerm(at index: UInt64) -> UInt64? { log.term(at: index) }

  /// The entries from `first` through `last`, as far as they are still in the log.
  package func entries(_ first: UInt64, through last: UInt64) -> [RaftEntry] {
    let (first, last) = (max(first, firstIndex), min(last, lastIndex))
    return first <= last ? Array(log.slice(first, last)) : []
  }

  /// How many chunks of a snapshot have come, and of how many; `nil` when none is fetched.
  package var snapshotFetched: (chunks: Int, of: Int)? {
    incoming.map { ($0.received, $0.chunks.count) }
  }
}
