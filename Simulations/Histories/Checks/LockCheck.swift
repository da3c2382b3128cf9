/// Judges that a lock has one holder at a time, told apart by growing fencing tokens.
///
/// A holder that gave the lock back held it from the answer to `lock` until the call of `unlock`.
/// One that did not, or lost it, may have had its lease expire: nothing is known of how long it
/// held the lock, and its token is what protects others from it.
/// Asking again while holding the lock is answered with the same token, and is no second hold.
package enum LockCheck {
  private struct Hold {
    let token: UInt64
    let grant: Int
    let call: UInt64
    let granted: UInt64
    /// The call of the `unlock` that was confirmed.
    var heldUntil: UInt64?
  }

  /// Checks every lock of the history.
  package static func check(_ history: History) -> HistoryFaults {
    var faults = HistoryFaults()
    var places: [[UInt8]: Int] = [:]
    var locks: [(name: String, grants: [Int], releases: [Int])] = []
    for (index, record) in history.records.enumerated() {
      let isGrant: Bool
      switch (record.operation, record.result) {
      case (.lock, .acquired): isGrant = true
      case (.unlock, .released): isGrant = false
      default: continue
      }
      let name = Array(record.key.utf8)
      let place = places[name] ?? locks.count
      if place == locks.count {
        places[name] = place
        locks.append((record.key, [], []))
      }
      if isGrant { locks[place].grants.append(index) } else { locks[place].releases.append(index) }
    }
    for lock in locks { check(lock, history.records, &faults) }
    return faults
  }

  private static func check(
    _ lock: (name: String, grants: [Int], releases: [Int]), _ records: [HistoryRecord],
    _ faults: inout HistoryFaults
  ) {
    var holds = lock.grants.compactMap { index -> Hold? in
      guard case .acquired(let token) = records[index].result,
        let granted = records[index].answered
      else { return nil }
      return Hold(token: token, grant: index, call: records[index].call, granted: granted)
    }
    holds.sort { ($0.token, $0.grant) < ($1.token, $1.grant) }
    note(lock.releases, of: &holds, records)
    for (left, right) in zip(holds, holds.dropFirst()) where left.token == right.token {
      let (one, other) = (records[left.grant], records[right.grant])
      // A holder that asks again is told the token it has.
      guard one.client != other.client else { continue }
      faults.add(
        .tokenOrder, lock.name,
        "token \(left.token) twice: \(one.sentence); \(other.sentence)")
    }
    var latest: Hold?
    var longest: Hold?
    for hold in holds {
      if let latest, latest.token < hold.token, latest.call > hold.granted {
        faults.add(
          .tokenOrder, lock.name,
          "\(records[latest.grant].sentence), after \(records[hold.grant].sentence)")
      }
      if let longest, longest.token < hold.token, let end = longest.heldUntil, end > hold.granted {
        let until = Milliseconds.text(end, decimals: 3)
        faults.add(
          .lockOverlap, lock.name,
          "\(records[hold.grant].sentence), while token \(longest.token) was held until \(until)")
      }
      if hold.call > latest?.call ?? 0 { latest = hold }
      if hold.heldUntil ?? 0 > longest?.heldUntil ?? 0 { longest = hold }
    }
  }

  /// Finds for each confirmed release the hold of its token.
  private static func note(
    _ releases: [Int], of holds: inout [Hold], _ records: [HistoryRecord]
  ) {
    for index in releases {
      guard case .unlock(let token) = records[index].operation else { continue }
      var (low, high) = (0, holds.count)
      while low < high {
        let middle = (low + high) / 2
        if holds[middle].token < token { low = middle + 1 } else { high = middle }
      }
      guard low < holds.count, holds[low].token == token else { continue }
      holds[low].heldUntil = max(holds[low].heldUntil ?? 0, records[index].call)
    }
  }
}
