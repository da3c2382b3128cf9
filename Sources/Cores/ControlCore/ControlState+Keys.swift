internal import Primitives

extension ControlState {
  /// Writes a key.
  mutating func put(
    _ key: ControlName, _ value: [UInt8], _ condition: ControlCondition, _ lease: LeaseID?
  ) -> ControlOutcome {
    precondition(value.count <= ControlLimits.valueBytesMax, "a value of \(value.count) bytes")
    let position = keyTable.search(key)
    let former = position.isFound ? keyTable[position] : nil
    guard condition.holds(for: former?.version ?? 0) else {
      return .refused(.conditionFailed(version: former?.version ?? 0))
    }
    if let lease, lease != former?.lease, let refusal = attachmentProblem(lease) {
      return .refused(refusal)
    }
    let growth = value.count - (former?.value.count ?? -key.bytes.count)
    guard storeBytes + growth <= bounds.storeBytes,
      position.isFound || keyTable.count < bounds.keyCount
    else { return .refused(.storeFull) }

    let version = advance()
    let created = former?.created ?? version
    storeBytes += growth
    if lease != former?.lease {
      if let old = former?.lease { detach(old, .key, key) }
      if let lease { attach(lease, .key, key) }
    }
    let record = KeyRecord(value: value, version: version, created: created, lease: lease)
    if position.isFound {
      keyTable[position] = record
    } else {
      keyTable.insert(key, record, at: position)
    }
    history.append(
      .put(key: key, value: value, created: created, lease: lease), revision: version)
    return .put(created: created, formerVersion: former?.version ?? 0)
  }

  /// Deletes a key.
  mutating func delete(_ key: ControlName, _ version: UInt64?) -> ControlOutcome {
    let position = keyTable.search(key)
    let present = position.isFound ? keyTable[position].version : 0
    if let version, version != present { return .refused(.conditionFailed(version: present)) }
    if !position.isFound { return .unchanged }
    advance()
    let record = keyTable.remove(at: position)
    if let lease = record.lease { detach(lease, .key, key) }
    removed(key, record)
    return .deleted(formerVersion: record.version)
  }

  /// Counts and tells that a key is gone.
  mutating func removed(_ key: ControlName, _ record: KeyRecord) {
    storeBytes -= key.bytes.count + record.value.count
    history.append(.deleted(key: key, formerVersion: record.version), revision: revision)
  }
}

extension ControlCondition {
  /// Whether it is met by a key with this version, 0 for none.
  func holds(for version: UInt64) -> Bool {
    switch self {
    case .none: true
    case .mustBeAbsent: version == 0
    case .version(let expected): version == expected
    }
  }
}
