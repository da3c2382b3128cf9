import Crypto
import Primitives
import RaftCore
import Records

/// What all members together must never break, told from what they emit and not from their state.
struct Judge {
  struct Place: Hashable {
    let index: UInt64
    let term: UInt64
  }

  struct Promise: Hashable {
    let voter: RaftID
    let term: UInt64
  }

  struct Written: Equatable {
    let previousTerm: UInt64
    let kind: RaftEntry.Kind
    let payload: [UInt8]
  }

  private(set) var committed: [UInt64: RaftEntry] = [:]
  private(set) var commit: UInt64 = 0
  /// The term of who first emitted an index: it was committed in that one, or before.
  private var commitTerms: [UInt64: UInt64] = [:]
  private var leaders: [UInt64: RaftID] = [:]
  private var written: [Place: Written] = [:]
  private var votes: [Promise: RaftID] = [:]
  /// The state after each committed entry, as one number.
  private var states: [UInt64: UInt64] = [0: 0]
  private(set) var problems: [String] = []

  mutating func fail(_ problem: String) {
    if problems.count < 5 { problems.append(problem) }
  }

  /// Election safety, and leader completeness over what anybody has emitted.
  mutating func lead(_ raft: Raft) {
    if let other = leaders[raft.term], other != raft.id {
      return fail("term \(raft.term) is led by \(other) and \(raft.id)")
    }
    if leaders.updateValue(raft.id, forKey: raft.term) != nil { return }
    for index in stride(from: raft.firstIndex, through: commit, by: 1) {
      // A leader that is over already need not have what came later.
      guard let inTerm = commitTerms[index], inTerm < raft.term else { continue }
      if raft.entryTerm(at: index) != committed[index]?.term {
        return fail("leader \(raft.id) of \(raft.term) lacks committed \(index)")
      }
    }
  }

  /// Log matching: whoever has an entry of an index and a term has the same before it.
  mutating func write(_ entries: [RaftEntry], of raft: Raft) {
    for entry in entries {
      let place = Place(index: entry.index, term: entry.term)
      guard let previousTerm = raft.entryTerm(at: entry.index - 1) else { continue }
      let new = Written(previousTerm: previousTerm, kind: entry.kind, payload: entry.payload)
      if let old = written.updateValue(new, forKey: place), old != new {
        fail("two logs differ at \(entry.index) of term \(entry.term)")
      }
    }
  }

  /// One vote per term and member, over crashes.
  mutating func send(_ message: RaftMessage) {
    guard case .voteResponse(isGranted: true) = message.body else { return }
    let promise = Promise(voter: message.from, term: message.term)
    if let other = votes.updateValue(message.to, forKey: promise), other != message.to {
      fail("\(message.from) voted for \(other) and \(message.to) in \(message.term)")
    }
  }

  /// State machine safety; returns the state after the entry.
  mutating func commit(_ entry: RaftEntry, on state: UInt64, inTerm term: UInt64) -> UInt64 {
    commitTerms[entry.index] = min(term, commitTerms[entry.index] ?? term)
    if let known = committed.updateValue(entry, forKey: entry.index), known != entry {
      fail("index \(entry.index) is committed twice, in \(known.term) and \(entry.term)")
    }
    commit = max(commit, entry.index)
    let next = Judge.step(state, entry)
    if let known = states.updateValue(next, forKey: entry.index), known != next {
      fail("states differ after \(entry.index)")
    }
    return next
  }

  mutating func restore(_ index: UInt64, _ state: UInt64) {
    if states[index] != state { fail("restored another state at \(index)") }
  }

  private static func step(_ state: UInt64, _ entry: RaftEntry) -> UInt64 {
    var hash = state ^ 0x9e37_79b9_7f4a_7c15
    for word in [entry.index, entry.term, UInt64(entry.payload.count)] {
      hash = (hash ^ word) &* 0x0000_0100_0000_01b3
    }
    for byte in entry.payload { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return hash
  }
}
