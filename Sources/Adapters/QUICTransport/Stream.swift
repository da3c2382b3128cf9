/// One stream of a connection; a class because both its buffer and its record are shared by place.
final class Stream {
  /// What a stream carries, fixed by who opened it and its first byte.
  enum Kind {
    case controlOut
    case bundlesOut
    /// The peer's, before its first byte.
    case unknownIn
    case controlIn
    case bundlesIn
    /// A request of ours.
    case requestOut
    /// The peer's request, before its first byte.
    case unknownRequest
    case requestIn
  }

  /// The first byte of each kind of stream.
  static let controlByte: UInt8 = 1
  static let bundlesByte: UInt8 = 2
  static let requestByte: UInt8 = 3

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
