internal import BFTCore
internal import Crypto
internal import CoreKit
internal import Primitives
internal import Reactor
internal import Records
internal import Synchronization
internal import Wire

/// Decodes what peers say of blocks and checks its signatures, on a thread of its own: the door of
/// agreement. What leaves it is `Verified`.
final class FinalityGate: Sendable {
  /// The first byte of a frame that carries a message of agreement; the control plane's messages
  /// begin with other numbers.
  static let frameTag: UInt8 = 7
  /// Bytes of frames that may wait. More is dropped like a packet: all that matters is said again.
  static let pendingBytesMax = 32 << 20
  /// Bytes of frames of one peer that may wait: nobody can keep the others' votes out.
  static let pendingBytesPerPeerMax = 4 << 20

  /// What was found of a frame.
  enum Finding: Sendable {
    /// A message that holds what it claims.
    case message(Verified<FinalityMessage>, from: PeerIndex)
    /// A message of an epoch whose validators are not known here: not a lie, but no use.
    case unknownEpoch(from: PeerIndex)
    /// A message that an honest peer does not send.
    case refused(from: PeerIndex, reason: String)
  }

  private struct Queue {
    var frames: [(bytes: [UInt8], peer: PeerIndex)] = []
    var byteCount = 0
    var byteCounts: [PeerIndex: Int] = [:]
    var lessons: [(epoch: UInt64, set: ValidatorSet)] = []
    var isStopped = false
  }

  private let chain: ChainID
  private let queue = Mutex(Queue())
  private let ready = Condition()

  init(chain: ChainID) {
    self.chain = chain
  }

  /// Takes note of an epoch's validators, before anything that is submitted later.
  func learn(_ set: ValidatorSet, epoch: UInt64) {
    queue.withLock { $0.lessons.append((epoch, set)) }
    ready.signal()
  }

  /// Hands over a frame without its tag; false when too much waits.
  func submit(_ bytes: [UInt8], from peer: PeerIndex) -> Bool {
    let isTaken = queue.withLock { queue in
      let byteCount = bytes.count + 128
      let own = queue.byteCounts[peer, default: 0] + byteCount
      guard queue.byteCount < FinalityGate.pendingBytesMax,
        own <= FinalityGate.pendingBytesPerPeerMax
      else { return false }
      queue.frames.append((bytes, peer))
      queue.byteCount += byteCount
      queue.byteCounts[peer] = own
      return true
    }
    if isTaken { ready.signal() }
    return isTaken
  }

  /// Ends `run`.
  func stop() {
    queue.withLock { $0.isStopped = true }
    ready.signal()
  }

  /// Works until `stop`; the body of the gate's thread.
  func run(handing findings: Mailbox<Finding>) {
    var door = FinalityDoor(chain: chain)
    while true {
      let taken = queue.withLock { queue in
        let taken = queue
        queue.frames = []
        queue.lessons = []
        queue.byteCount = 0
        queue.byteCounts.removeAll(keepingCapacity: true)
        return taken
      }
      if taken.isStopped { return }
      for lesson in taken.lessons { door.learn(lesson.set, epoch: lesson.epoch) }
      for frame in taken.frames {
        // Its bytes are bounded by the queue; a finding that does not fit is lost like a packet.
        _ = findings.post(FinalityGate.judge(frame.bytes, from: frame.peer, &door))
      }
      if taken.frames.isEmpty { ready.wait() }
    }
  }

  /// Decodes and checks one frame.
  static func judge(
    _ bytes: [UInt8], from peer: PeerIndex, _ door: inout FinalityDoor
  ) -> Finding {
    do throws(WireError) {
      guard bytes.count <= FinalityMessage.bytesMax else { throw .overLimit }
      let message = try FinalityMessage(decoding: bytes)
      if let verified = door.check(message) { return .message(verified, from: peer) }
      if let epoch = message.statedEpoch, !door.knows(epoch: epoch) {
        return .unknownEpoch(from: peer)
      }
      return .refused(from: peer, reason: "its signatures are not those of validators")
    } catch {
      return .refused(from: peer, reason: "\(error)")
    }
  }
}
