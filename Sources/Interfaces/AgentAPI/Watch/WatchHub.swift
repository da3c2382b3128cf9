package import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// Everything that waits for the control state to move: watches, and requests in line for a lock.
///
/// A watch is a place in the history of revisions and a stream. When there are events, or a stream
/// has room again, the watch pulls what it wants from its place on, in batches, until it has seen
/// everything or the stream holds enough; so a slow reader costs one batch, and a reader that comes
/// from far behind is served at its own pace. News of one turn of the loop wake all watches once.
///
/// Invariants:
/// - **W1** A watch shows every wanted event after its start exactly once, in order; the name of
///   the last event of a revision is the revision, so that whoever resumes after it lacks nothing.
/// - **W2** A bookmark's revision is one through which everything was shown.
/// - **W3** When the history does not reach back to a watch's place, it is told so and ends.
package final class WatchHub: ControlWatching {
  /// The media type of a watch (HTML, section 9.2).
  static let mediaType = "text/event-stream"
  /// Watches of one node; more are refused.
  static let watchesMax = 1_024
  /// How often every watch shows that it lives.
  static let bookmarkSpan = TimeSpan.seconds(4)
  /// Events that a watch takes at once.
  static let batchMax = 64
  /// Bytes that wait for a reader before its watch takes no more.
  static let pendingBytesMax = 64 * 1_024
  /// How long a reader may leave those bytes lying.
  static let stallSpan = TimeSpan.seconds(30)

  private unowned let backend: any AgentBackend
  private var watches: [Watch] = []
  private var waits = LockWaits()
  private var hasNews = false
  private var bookmarksDue: Instant?
  /// When the backend was asked to call.
  private var wakeAt: Instant?
  /// Whether the node is about to stop.
  private var isClosed = false
  private(set) var counters = WatchCounters()

  init(backend: any AgentBackend) {
    self.backend = backend
  }

  /// Watches that are open.
  var watchCount: Int { watches.count }
  /// Requests that wait for a lock.
  var lockWaitCount: Int { waits.count }

  // MARK: What the state did

  package func eventsAdded() {
    guard !watches.isEmpty, !hasNews else { return }
    hasNews = true
    wake(at: backend.now)
  }

  package func restored() {
    eventsAdded()
    for check in waits.checks { check() }
  }

  package func lockWaitEnded(_ name: ControlName, _ lease: LeaseID, token: UInt64?) {
    let end = token.map { LockWaits.End.held(token: $0) } ?? .gone
    for wait in waits.names(name, lease) { endWait(wait, end) }
  }

  package func timeReached() {
    wakeAt = nil
    let now = backend.now
    if hasNews {
      hasNews = false
      for watch in watches { pump(watch) }
    }
    if let due = bookmarksDue, due <= now { showLife(at: now) }
    for wait in waits.overdue(at: now) { endWait(wait, .timedOut) }
    plan()
  }

  private func plan() {
    let due = [hasNews ? backend.now : nil, bookmarksDue, waits.due].compactMap(\.self).min()
    if let due { wake(at: due) }
  }

  private func wake(at instant: Instant) {
    if let wakeAt, wakeAt <= instant { return }
    wakeAt = instant
    backend.wakeControlWatch(at: instant)
  }

  // MARK: Locks

  /// Waits for a lock, until it is told how that ended; returns the wait's name.
  func awaitLock(
    _ name: ControlName, _ lease: LeaseID, until deadline: Instant,
    check: @escaping (UInt64) -> Void, ended: @escaping (LockWaits.End) -> Void
  ) -> UInt64 {
    let wait = waits.add(name, lease, until: deadline, check: check, ended: ended)
    plan()
    return wait
  }

  /// Ends a wait, unless it has ended.
  func endWait(_ wait: UInt64, _ end: LockWaits.End) {
    waits.take(wait)?(end)
  }

  // MARK: Watches

  /// Whether there is room for another watch; counts a refusal when there is none.
  func admit() -> Bool {
    guard watches.count < WatchHub.watchesMax, !isClosed else {
      counters.refused += 1
      return false
    }
    return true
  }

  /// Shows what a filter wants after a revision until the client leaves.
  func watch(_ filter: ControlFilter, after revision: UInt64, on sink: any EventSink) {
    let watch = Watch(filter: filter, position: revision, sink: sink)
    watches.append(watch)
    counters.opened += 1
    sink.onClosed = { [weak self, weak watch] end in
      guard let self, let watch else { return }
      if end == .tooSlow { counters.tooSlow += 1 }
      remove(watch)
    }
    sink.onDrained = { [weak self, weak watch] in
      guard let self, let watch, watch.isBehind else { return }
      pump(watch)
    }
    pump(watch)
    if !watch.isOver { writeBookmark(watch) }
    if bookmarksDue == nil { bookmarksDue = backend.now + WatchHub.bookmarkSpan }
    plan()
  }

  /// Ends every watch, so that its client goes on at another node, and takes no more.
  func close() {
    isClosed = true
    for watch in watches {
      watch.sink.close()
      remove(watch)
    }
  }

  /// Shows a watch's next events, as many as its stream has room for.
  private func pump(_ watch: Watch) {
    watch.isBehind = false
    while !watch.isOver {
      guard watch.sink.pendingBytes < WatchHub.pendingBytesMax else {
        watch.isBehind = true
        if watch.stalledSince == nil { watch.stalledSince = backend.now }
        return
      }
      watch.stalledSince = nil
      let answer = backend.events(
        after: watch.position, watch.filter, limit: WatchHub.batchMax)
      guard case .events(let records, let through) = answer else {
        if case .compacted(let oldest) = answer { end(watch, compactedAt: oldest) }
        return
      }
      precondition(through >= watch.position, "W1: \(through) before \(watch.position)")
      watch.position = through
      if !records.isEmpty { write(EventText.text(of: records), to: watch) }
      counters.events += UInt64(records.count)
      if through >= backend.controlRevision { return }
    }
  }

  private func end(_ watch: Watch, compactedAt oldest: UInt64) {
    counters.compacted += 1
    write(EventText.compacted(oldest: oldest), to: watch)
    watch.sink.close()
    remove(watch)
  }

  /// Gives every watch a bookmark, and ends those whose reader does not read.
  private func showLife(at now: Instant) {
    for watch in watches {
      if let since = watch.stalledSince, since + WatchHub.stallSpan <= now {
        remove(watch)
        watch.sink.abandon()
      } else if !watch.isBehind {
        writeBookmark(watch)
      }
    }
    bookmarksDue = watches.isEmpty ? nil : now + WatchHub.bookmarkSpan
  }

  private func writeBookmark(_ watch: Watch) {
    write(EventText.bookmark(watch.position), to: watch)
  }

  private func write(_ bytes: [UInt8], to watch: Watch) {
    // Too slow, or gone: `onClosed` is told which.
    if !watch.isOver && !watch.sink.write(bytes) { remove(watch) }
  }

  private func remove(_ watch: Watch) {
    guard !watch.isOver else { return }
    watch.isOver = true
    watches.removeAll { $0 === watch }
  }
}

/// One open watch.
final class Watch {
  let filter: ControlFilter
  /// Everything through this revision was shown.
  var position: UInt64
  let sink: any EventSink
  /// Whether it stopped for want of room on its stream.
  var isBehind = false
  /// Since when its stream has been full.
  var stalledSince: Instant?
  var isOver = false

  init(filter: ControlFilter, position: UInt64, sink: any EventSink) {
    self.filter = filter
    self.position = position
    self.sink = sink
  }
}

/// What the hub counted; for metrics.
struct WatchCounters {
  /// Watches opened.
  var opened: UInt64 = 0
  /// Watches refused for want of room.
  var refused: UInt64 = 0
  /// Events shown.
  var events: UInt64 = 0
  /// Watches ended because the history was gone.
  var compacted: UInt64 = 0
  /// Watches ended because their reader was too slow.
  var tooSlow: UInt64 = 0
}
