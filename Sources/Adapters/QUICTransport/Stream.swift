/// One stream of a connection; a class because both its buffer and its record are shared by place.
final class Stream {
  /// What a stream carries, fixed by who opened it and its first byte.
  enum Kind: Equatable {
    /// A channel of ours.
    case channelOut(Channel)
    /// The peer's, before its first byte.
    case unknownIn
    /// A channel of the peer's.
    case channelIn(Channel)
    /// A request of ours.
    case requestOut
    /// The peer's request, before its first byte.
    case unknownRequest
    case requestIn
  }

  /// The first byte of a stream that carries one request.
  static let requestByte: UInt8 = 3

  /// The first byte of a channel's stream.
  static func firstByte(of channel: Channel) -> UInt8 {
    switch channel {
    case .control: 1
    case .bundles: 2
    case .consensus: 4
    }
  }

  /// The channel whose streams begin with a byte.
  static func channel(startingWith byte: UInt8) -> Channel? {
    Channel.allCases.first { firstByte(of: $0) == byte }
  }

  let id: Int64
  var kind: Kind
  var outgoing = SendBuffer()
  var incoming = FrameAssembler()
  /// No more will be appended; a FIN follows the last byte.
  var finishing = false
  var finishSent = false
  /// The peer's flow control holds the stream back, as far as this flush knows.
  var isBlocked = false
  /// The owner was told `.full` and waits for `writable`.
  var owesWritable = false
  /// Nothing more is to be told to the owner about this request.
  var isSettled = false
  /// The peer's whole request, until its FIN shows that nothing follows.
  var pendingRequest: [UInt8]?
  var responseBytes = 0
  /// When a request of ours is given up.
  var deadline: UInt64 = .max

  init(id: Int64, kind: Kind) {
    self.id = id
    self.kind = kind
  }

  /// Appends bytes that are no frame: the kind of the stream.
  func append(bytes: [UInt8]) {
    for byte in bytes { outgoing.append(byte: byte) }
  }

  var hasWork: Bool {
    !isBlocked && (outgoing.unsentBytes > 0 || (finishing && !finishSent))
  }
}
