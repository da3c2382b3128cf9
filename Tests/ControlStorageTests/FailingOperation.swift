import ControlStorage
import Glibc
import Synchronization

/// Fails every operation of one kind once it is armed, and counts what is tried after the first.
final class FailingOperation: Sendable {
  private struct State {
    var isArmed = false
    var hasFailed = false
    var afterwards = 0
  }

  private let kind: String
  private let state = Mutex(State())

  init(_ kind: String) {
    self.kind = kind
  }

  func arm() { state.withLock { $0.isArmed = true } }

  var operationsAfterwards: Int { state.withLock { $0.afterwards } }

  var interception: FileInterception {
    FileInterception { [self] operation in
      state.withLock { state in
        if state.hasFailed {
          state.afterwards += 1
          return .proceed
        }
        guard state.isArmed, FailingOperation.kind(of: operation) == kind else { return .proceed }
        state.hasFailed = true
        return .fail(code: EIO)
      }
    }
  }

  private static func kind(of operation: FileOperation) -> String {
    switch operation {
    case .open: "open"
    case .reserve: "reserve"
    case .write: "write"
    case .sync: "sync"
    case .rename: "rename"
    case .remove: "remove"
    case .syncDirectory: "directory"
    }
  }
}
