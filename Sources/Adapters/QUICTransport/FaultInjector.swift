import Reactor

/// The faults in force, and the packets that they delay.
struct FaultInjector {
  /// A packet on its slow way.
  struct Delayed {
    let due: UInt64
    let socket: UDPSocket
    let remote: [UInt8]
    let bytes: [UInt8]
  }

  /// What becomes of an outgoing packet.
  enum Fate {
    case passes
    case isBlocked
    case isLost
    case isDelayed(UInt64)
  }

  private static let million: UInt64 = 1_000_000

  /// Addresses remembered; those of further peers are not.
  private static let addressesMax = 1_024

  private var faults: [PeerKey: PeerFault] = [:]
  /// Where peers with faults were seen, for packets that belong to no connection.
  private var addresses: [SocketAddress: PeerKey] = [:]
  private var random: Jitter
  /// By `due`; those before `head` have left.
  private var delayed: [Delayed] = []
  private var head = 0
  private var delayedBytes = 0
  private let packetsMax: Int
  private let bytesMax: Int
  /// Fires when the first delayed packet is due.
  var timer: TimerToken?

  init(packetsMax: Int, bytesMax: Int) {
    self.packetsMax = packetsMax
    self.bytesMax = bytesMax
    random = Jitter(seed: 0)
  }

  /// Puts other faults in force; of several for one peer the last one counts.
  mutating func set(_ list: [PeerFault], seed: UInt64) {
    faults = [:]
    addresses = [:]
    for fault in list { faults[fault.key] = fault }
    random = Jitter(seed: seed)
  }

  func fault(for key: PeerKey) -> PeerFault? { faults[key] }

  /// Remembers where the peer of a fault was seen.
  mutating func note(_ address: SocketAddress, of fault: PeerFault) {
    guard addresses.count < FaultInjector.addressesMax else { return }
    addresses[address] = fault.key
  }

  /// Whether a blocked peer was seen at an address.
  func blocks(_ remote: UnsafeRawBufferPointer) -> Bool {
    guard !addresses.isEmpty, let address = SocketAddress(kernelBytes: remote) else { return false }
    return addresses[address].flatMap { faults[$0] }?.blocks == true
  }

  mutating func isLost(_ fault: PeerFault) -> Bool {
    fault.lossMillionths > 0
      && random.next(below: FaultInjector.million) < UInt64(fault.lossMillionths)
  }

  /// Decides what becomes of a packet that leaves for the fault's peer.
  mutating func fate(under fault: PeerFault) -> Fate {
    if fault.blocksOut { return .isBlocked }
    if isLost(fault) { return .isLost }
    let (most, overflow) = fault.jitterNanoseconds.addingReportingOverflow(1)
    let extra = fault.jitterNanoseconds == 0 ? 0 : random.next(below: overflow ? .max : most)
    let (delay, isEndless) = fault.delayNanoseconds.addingReportingOverflow(extra)
    if isEndless { return .isLost }
    return delay == 0 ? .passes : .isDelayed(delay)
  }

  // MARK: Delayed packets

  /// When the first delayed packet leaves.
  var nextDue: UInt64? { head < delayed.count ? delayed[head].due : nil }

  /// Keeps a packet until it is due; false when there is no room.
  mutating func delay(_ packet: Delayed) -> Bool {
    guard delayed.count - head < packetsMax, delayedBytes + packet.bytes.count <= bytesMax else {
      return false
    }
    delayedBytes += packet.bytes.count
    var place = delayed.count
    // From the end: without much jitter packets come in the order in which they leave.
    while place > head, delayed[place - 1].due > packet.due { place -= 1 }
    delayed.insert(packet, at: place)
    return true
  }

  /// Takes the first delayed packet if it is due.
  mutating func takeDue(at now: UInt64) -> Delayed? {
    guard head < delayed.count, delayed[head].due <= now else { return nil }
    let packet = delayed[head]
    head += 1
    delayedBytes -= packet.bytes.count
    if head > 64, head * 2 > delayed.count {
      delayed.removeFirst(head)
      head = 0
    }
    return packet
  }
}
