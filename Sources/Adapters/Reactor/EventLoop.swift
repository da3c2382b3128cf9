import CPlatform
import Glibc

/// Runs one thread's descriptors, timers and mailboxes over epoll, one batch of events per turn.
///
/// A turn is: wait, read the clock, drain mailboxes, call descriptor handlers, call due timers,
/// call the turn-end hooks. Hooks are where batched work belongs: flushing sockets, driving a node
/// core.
///
/// The loop is confined to the thread that made it and is deliberately not `Sendable`: other
/// threads reach it through a ``LoopHandle`` or a ``Mailbox``. Invariants:
///
/// - I1: registering, arming and hooking happen on the loop's own thread.
/// - I2: `now()` does not change within a turn, except through `refreshClock()`.
/// - I3: a handler is not called after its registration or timer was removed, not even when its
///   event was already collected in the same turn.
package final class EventLoop {
  /// Events taken from the kernel per turn.
  package static let eventsPerTurnMax = 256

  private let poll: Int32
  private let owner: pthread_t
  private let waker: Waker
  private let events: UnsafeMutablePointer<cplatform_event>
  private var clock: UInt64
  private var stopping = false
  private var running = false
  private var registrations = SlotTable<(Readiness) -> Void>()
  private var timers = TimerQueue()
  private var inboxes: [any Inbox] = []
  private var turnEndHooks: [() -> Void] = []
  private var wantsAnotherTurn = false
  private var handlersAreRunning = false
  private var attachments: [AnyObject] = []

  /// What the loop has done so far.
  package private(set) var metrics = EventLoopMetrics()

  /// A way for other threads to post closures and to stop the loop.
  package private(set) var handle: LoopHandle

  /// Makes a loop that belongs to the calling thread.
  ///
  /// - Throws: ``SystemCallError`` when the kernel has no descriptors left.
  package init() throws {
    owner = pthread_self()
    poll = try SystemCallError.check(cplatform_poll_create(), "epoll_create1")
    do {
      waker = try Waker()
      try SystemCallError.check(
        cplatform_poll_add(poll, waker.descriptor, CPLATFORM_READABLE, EventLoop.wakeTag),
        "epoll_ctl")
    } catch {
      _ = cplatform_close(poll)
      throw error
    }
    events = .allocate(capacity: EventLoop.eventsPerTurnMax)
    clock = cplatform_monotonic_nanoseconds()
    let inbox = Mailbox<LoopHandle.Command>(limit: LoopHandle.commandsMax, waker: waker)
    handle = LoopHandle(mailbox: inbox)
    inboxes.append(
      ReceivingInbox(mailbox: inbox) { [unowned self] commands in self.obey(commands) })
  }

  deinit {
    for inbox in inboxes { inbox.close() }
    events.deallocate()
    _ = cplatform_close(poll)
  }

  private static let wakeTag = UInt64.max

  // MARK: Time

  /// The time at which the current turn began, in monotonic nanoseconds.
  package func now() -> UInt64 { clock }

  /// Reads the clock again; for work so long that the turn's time is stale.
  @discardableResult
  package func refreshClock() -> UInt64 {
    clock = max(clock, cplatform_monotonic_nanoseconds())
    return clock
  }

  // MARK: Descriptors

  /// Watches a descriptor, level-triggered, until the registration is removed.
  ///
  /// - Throws: ``SystemCallError`` when the kernel refuses the descriptor.
  package func register(
    descriptor: Int32, interest: Interest, handler: @escaping (Readiness) -> Void
  ) throws -> Registration {
    requireOwnThread()
    let slot = registrations.insert(handler)
    let result = cplatform_poll_add(poll, descriptor, interest.rawValue, slot.tag)
    if result < 0 {
      registrations.remove(slot)
      throw SystemCallError(number: -result, call: "epoll_ctl")
    }
    return Registration(descriptor: descriptor, slot: slot)
  }

  /// Changes what a registration waits for.
  package func modify(_ registration: Registration, interest: Interest) throws {
    requireOwnThread()
    precondition(registrations.contains(registration.slot), "\(registration) is not registered")
    try SystemCallError.check(
      cplatform_poll_modify(
        poll, registration.descriptor, interest.rawValue, registration.slot.tag), "epoll_ctl")
  }

  /// Stops watching; the caller still owns and closes the descriptor.
  package func deregister(_ registration: Registration) {
    requireOwnThread()
    precondition(registrations.contains(registration.slot), "\(registration) is not registered")
    registrations.remove(registration.slot)
    // Failure means that the descriptor was closed already, which also ended the watch.
    _ = cplatform_poll_remove(poll, registration.descriptor)
  }

  // MARK: Timers

  /// Makes a timer that stays, unarmed, until it is removed. Arming again moves it.
  package func makeTimer(_ handler: @escaping () -> Void) -> TimerToken {
    requireOwnThread()
    return timers.insert(handler, repeats: true)
  }

  /// Arms a timer, or moves it when it is armed. O(log timers).
  package func arm(_ timer: TimerToken, at deadline: UInt64) {
    requireOwnThread()
    timers.arm(timer, at: deadline)
  }

  /// Disarms a timer; it can be armed again.
  package func disarm(_ timer: TimerToken) {
    requireOwnThread()
    timers.disarm(timer)
  }

  /// Calls the handler once, at the deadline, and then forgets the timer.
  @discardableResult
  package func schedule(at deadline: UInt64, _ handler: @escaping () -> Void) -> TimerToken {
    requireOwnThread()
    let token = timers.insert(handler, repeats: false)
    timers.arm(token, at: deadline)
    return token
  }

  /// Forgets a timer; a token whose timer has already fired is accepted.
  package func cancel(_ timer: TimerToken) {
    requireOwnThread()
    timers.remove(timer)
  }

  // MARK: Mailboxes and hooks

  /// Makes a mailbox whose messages are handed to `receive`, in batches, on this loop.
  ///
  /// It holds at most `limit` messages; then `post` answers `.full`.
  package func makeMailbox<Message: Sendable>(
    limit: Int, receive: @escaping ([Message]) -> Void
  ) -> Mailbox<Message> {
    requireOwnThread()
    let mailbox = Mailbox<Message>(limit: limit, waker: waker)
    inboxes.append(ReceivingInbox(mailbox: mailbox, receive: receive))
    return mailbox
  }

  /// Adds a hook that runs once at the end of every turn, after all handlers.
  package func onTurnEnd(_ hook: @escaping () -> Void) {
    requireOwnThread()
    turnEndHooks.append(hook)
  }

  /// Makes sure that the turn-end hooks run soon, although no event is waiting.
  ///
  /// Free of charge inside a handler, after which they run anyway.
  package func requestTurnEnd() {
    requireOwnThread()
    if !handlersAreRunning { wantsAnotherTurn = true }
  }

  /// Keeps an object alive as long as the loop's thread runs.
  package func attach(_ object: AnyObject) {
    requireOwnThread()
    attachments.append(object)
  }

  func releaseAttachments() { attachments = [] }

  // MARK: Running

  /// Runs turns until `stop()`.
  package func run() throws {
    requireOwnThread()
    precondition(!running, "the loop is already running")
    running = true
    defer { running = false }
    stopping = false
    while !stopping {
      try turn()
    }
  }

  /// Runs one turn, waiting at most until `deadline`; for owners with a loop of their own.
  package func runOnce(until deadline: UInt64) throws {
    requireOwnThread()
    try turn(waitingUntil: deadline)
  }

  /// Ends `run()` after the current turn.
  package func stop() {
    requireOwnThread()
    stopping = true
  }

  private func turn(waitingUntil limit: UInt64 = .max) throws {
    let count = try wait(until: limit)
    let start = refreshClock()
    handlersAreRunning = true
    for index in 0..<count {
      dispatch(events[index])
    }
    while let handler = timers.popDue(at: clock) {
      handler()
    }
    handlersAreRunning = false
    for hook in turnEndHooks {
      hook()
    }
    let end = cplatform_monotonic_nanoseconds()
    metrics.record(events: count, turnNanoseconds: end &- start)
  }

  private func wait(until limit: UInt64) throws -> Int {
    var timeout: Int64 = -1
    let deadline = min(timers.earliest ?? .max, limit)
    if wantsAnotherTurn {
      timeout = 0
    } else if deadline != .max {
      let current = cplatform_monotonic_nanoseconds()
      timeout = deadline > current ? Int64(clamping: deadline - current) : 0
    }
    wantsAnotherTurn = false
    let count = cplatform_poll_wait(poll, events, Int32(EventLoop.eventsPerTurnMax), timeout)
    return Int(try SystemCallError.check(count, "epoll_pwait"))
  }

  private func dispatch(_ event: cplatform_event) {
    if event.tag == EventLoop.wakeTag {
      waker.drain()
      for inbox in inboxes { inbox.deliver() }
      return
    }
    // A handler called earlier in this turn may have removed this registration (I3).
    guard let handler = registrations.value(taggedBy: event.tag) else { return }
    handler(Readiness(rawValue: event.readiness))
  }

  private func obey(_ commands: [LoopHandle.Command]) {
    for command in commands {
      switch command {
      case .call(let body): body(self)
      case .stop: stopping = true
      }
    }
  }

  private func requireOwnThread() {
    precondition(
      pthread_equal(pthread_self(), owner) != 0, "the event loop was used off its thread")
  }
}
