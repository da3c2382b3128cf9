/// The open connections and the deadline that each one is under.
///
/// Every deadline of one phase has the same length, so a list in order of entry is in order of
/// time: each transition and each look at the next deadline is O(1).
struct ConnectionTable {
  /// What a connection is waited for.
  enum Phase: Int {
    /// The end of a request's headers.
    case header
    /// The end of a request's body.
    case body
    /// The next request on a kept-alive connection.
    case idle
    /// Nothing that the client owes: the handler works or the answer is being sent.
    case untimed
  }

  private struct Slot {
    var descriptor: Int32 = -1
    var phase = Phase.untimed
    var deadlineMilliseconds: UInt64 = 0
    var previous = -1
    var next = -1
    var remoteAddress = ""
    var exchange: HTTPExchange?
  }

  private struct List {
    var head = -1
    var tail = -1
  }

  private var slots: [Slot] = []
  private var freeSlots: [Int] = []
  private var lists = [List](repeating: List(), count: 3)
  private let durationsMilliseconds: [UInt64]
  private(set) var count = 0

  init(headerMilliseconds: Int, bodyMilliseconds: Int, idleMilliseconds: Int) {
    durationsMilliseconds = [headerMilliseconds, bodyMilliseconds, idleMilliseconds].map(
      UInt64.init)
  }

  /// Takes in an accepted connection, which owes its first headers; returns its slot.
  mutating func open(descriptor: Int32, remoteAddress: String, now: UInt64) -> Int {
    let slot = freeSlots.popLast() ?? slots.count
    if slot == slots.count { slots.append(Slot()) }
    slots[slot].descriptor = descriptor
    slots[slot].remoteAddress = remoteAddress
    count += 1
    enter(.header, slot: slot, now: now)
    return slot
  }

  mutating func close(slot: Int) {
    enter(.untimed, slot: slot, now: 0)
    slots[slot] = Slot()
    freeSlots.append(slot)
    count -= 1
  }

  mutating func enter(_ phase: Phase, slot: Int, now: UInt64) {
    unlink(slot)
    slots[slot].phase = phase
    guard phase != .untimed else { return }
    slots[slot].deadlineMilliseconds = now + durationsMilliseconds[phase.rawValue]
    slots[slot].previous = lists[phase.rawValue].tail
    let tail = lists[phase.rawValue].tail
    if tail >= 0 { slots[tail].next = slot } else { lists[phase.rawValue].head = slot }
    lists[phase.rawValue].tail = slot
  }

  private mutating func unlink(_ slot: Int) {
    let phase = slots[slot].phase.rawValue
    guard slots[slot].phase != .untimed else { return }
    let previous = slots[slot].previous
    let next = slots[slot].next
    if previous >= 0 { slots[previous].next = next } else { lists[phase].head = next }
    if next >= 0 { slots[next].previous = previous } else { lists[phase].tail = previous }
    slots[slot].previous = -1
    slots[slot].next = -1
  }

  func phase(slot: Int) -> Phase { slots[slot].phase }

  func descriptor(slot: Int) -> Int32 { slots[slot].descriptor }

  func remoteAddress(slot: Int) -> String { slots[slot].remoteAddress }

  mutating func setExchange(_ exchange: HTTPExchange?, slot: Int) {
    slots[slot].exchange = exchange
  }

  /// The requests that are under way.
  var exchanges: [HTTPExchange] { slots.compactMap(\.exchange) }

  /// The earliest deadline, or `nil` when no client owes anything.
  var nextDeadlineMilliseconds: UInt64? {
    lists.compactMap { $0.head >= 0 ? slots[$0.head].deadlineMilliseconds : nil }.min()
  }

  /// Removes one connection whose deadline has passed from its list; returns its socket.
  mutating func popExpired(now: UInt64) -> Int32? {
    for list in lists where list.head >= 0 {
      let slot = list.head
      guard slots[slot].deadlineMilliseconds <= now else { continue }
      enter(.untimed, slot: slot, now: now)
      return slots[slot].descriptor
    }
    return nil
  }

  /// The sockets of the connections between two requests.
  var idleDescriptors: [Int32] {
    slots.filter { $0.phase == .idle }.map(\.descriptor)
  }
}
