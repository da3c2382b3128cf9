import ControlCore
import Primitives
import Records
import Testing

/// A state that commands are applied to one after the other.
struct Steps {
  var state: ControlState
  var index: UInt64 = 0
  /// What the last command told.
  var notices: [ControlNotice] = []

  init(bounds: ControlBounds = .standard) {
    state = ControlState(bounds: bounds)
  }

  @discardableResult
  mutating func apply(_ command: ControlCommand) -> ControlResult {
    index += 1
    notices.removeAll()
    return state.apply(command, index: index, into: &notices)
  }

  @discardableResult
  mutating func apply(_ operation: ControlOperation) -> ControlOutcome {
    apply(ControlCommand(operation: operation)).outcome
  }

  /// Applies a random command.
  mutating func apply(from source: inout CommandSource) {
    let command = source.next(index: index + 1)
    source.learn(apply(command), of: command, at: index)
  }

  mutating func lease() throws -> LeaseID {
    apply(.grantLease(ttlMilliseconds: 1_000))
    return try #require(LeaseID(state.revision))
  }

  func lock(_ name: ControlName) -> ControlLock? {
    guard case .lock(let lock) = state.answer(.lock(name: name)).content else { return nil }
    return lock
  }

  func entry(_ key: ControlName) -> ControlEntry? {
    guard case .entry(let entry) = state.answer(.get(key: key)).content else { return nil }
    return entry
  }
}

/// A name that the test knows to be one.
func name(_ text: String) throws -> ControlName { try #require(ControlName(text)) }

/// A node by number.
func node(_ number: UInt64) -> NodeID { NodeID(key: Digest(words: number, 0, 0, 0)) }
