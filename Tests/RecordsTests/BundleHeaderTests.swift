import Crypto
import Primitives
import Records
import Testing
import Wire

/// A header that breaks one rule, and how the decoder says so.
struct BrokenHeader: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let bytes: [UInt8]
  let error: WireError

  init(_ name: String, _ error: WireError, _ change: (inout LooseHeader) -> Void) {
    var header = LooseHeader()
    change(&header)
    testDescription = name
    bytes = header.bytes
    self.error = error
  }

  private static let one = Digest(words: 1, 0, 0, 0)
  private static let two = Digest(words: 2, 0, 0, 0)
  private static let max = BundleLimits.numberMax

  static let all = [
    BrokenHeader("version 0", .unknownTag(0)) { $0.version = 0 },
    BrokenHeader("version 2", .unknownTag(2)) { $0.version = 2 },
    BrokenHeader("number 0", .invalid("sequence below the bundle's number")) { $0.number = 0 },
    BrokenHeader("number beyond 63 bits", .overLimit) { $0.number = max + 1 },
    BrokenHeader("sequence 0", .invalid("sequence below the bundle's number")) {
      $0.firstSequence = 0
    },
    BrokenHeader("sequence below the number", .invalid("sequence below the bundle's number")) {
      $0.number = 4
    },
    BrokenHeader(
      "sequence beyond full bundles",
      .invalid("sequence beyond what earlier bundles can hold")
    ) { $0.firstSequence = 1_026 },
    BrokenHeader(
      "first bundle at sequence 2", .invalid("sequence beyond what earlier bundles can hold")
    ) {
      $0.number = 1
      $0.firstSequence = 2
      $0.previous = .zero
    },
    BrokenHeader("no operation", .invalid("operation count out of range")) {
      $0.operationCount = 0
    },
    BrokenHeader("too many operations", .invalid("operation count out of range")) {
      $0.operationCount = 1_025
      $0.bodyByteCount = 2_000
    },
    BrokenHeader("time at the end", .invalid("time or sequence overflows")) {
      $0.firstTime = max - 1
    },
    BrokenHeader("time beyond 63 bits", .invalid("time or sequence overflows")) {
      $0.firstTime = .max
    },
    BrokenHeader("sequence at the end", .invalid("time or sequence overflows")) {
      $0.number = max
      $0.firstSequence = max
    },
    BrokenHeader(
      "a later bundle without a previous one",
      .invalid("exactly the first bundle has no previous one")
    ) { $0.previous = .zero },
    BrokenHeader(
      "a first bundle with a previous one",
      .invalid("exactly the first bundle has no previous one")
    ) {
      $0.number = 1
      $0.firstSequence = 1
    },
    BrokenHeader("body beyond its limit", .overLimit) { $0.bodyByteCount = 262_145 },
    BrokenHeader(
      "body shorter than its lengths",
      .invalid("body shorter than its operations' lengths")
    ) { $0.bodyByteCount = 1 },
    BrokenHeader("context out of order", .notCanonical) { $0.context = [(two, 1), (one, 1)] },
    BrokenHeader("context names a lane twice", .notCanonical) {
      $0.context = [(one, 1), (one, 1)]
    },
    BrokenHeader("context at number 0", .notCanonical) { $0.context = [(one, 0)] },
    BrokenHeader("context beyond 63 bits", .overLimit) { $0.context = [(one, max + 1)] },
    BrokenHeader("context of its own lane", .invalid("a context names its own lane")) {
      $0.context = [($0.lane.digest, 1)]
    },
    BrokenHeader("context longer than its limit", .overLimit) {
      $0.context = (1...513).map { (Digest(words: $0, 0, 0, 0), 1) }
    },
    BrokenHeader("context longer than the bytes", .truncated) { $0.contextCount = 500 },
  ]
}

@Suite struct BundleHeaderTests {
  @Test(arguments: BrokenHeader.all)
  func `a header that breaks a rule is refused`(broken: BrokenHeader) {
    #expect(throws: broken.error) { try BundleHeader(decoding: broken.bytes) }
  }

  @Test func `headers at their limits are accepted`() throws {
    var header = LooseHeader()
    #expect(try BundleHeader(decoding: header.bytes).encoded == header.bytes)
    header.operationCount = 1_024
    header.bodyByteCount = 262_144
    header.context = (1...512).map { (Digest(words: $0, 0, 0, 0), BundleLimits.numberMax) }
    header.firstSequence = 1_025
    header.firstTime = BundleLimits.numberMax - 1_024
    let decoded = try BundleHeader(decoding: header.bytes)
    #expect(decoded.encoded == header.bytes)
    #expect(decoded.lastTime.raw == BundleLimits.numberMax - 1)
    #expect(decoded.lastSequence == 2_048)
    #expect(header.bytes.count <= BundleLimits.headerBytesMax)
    header.number = BundleLimits.numberMax - 1_024
    header.firstSequence = header.number
    #expect(try BundleHeader(decoding: header.bytes).encoded == header.bytes)
  }

  @Test func `the first header starts everything`() throws {
    var header = LooseHeader()
    header.number = 1
    header.firstSequence = 1
    header.previous = .zero
    let decoded = try BundleHeader(decoding: header.bytes)
    #expect(decoded.lane == header.lane)
    #expect(decoded.encoded == header.bytes)
  }

  @Test func `breaking a rule ourselves stops the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(number: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(operationCount: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(operationCount: -1)
    }
    await #expect(processExitsWith: .failure) {
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(bodyByteCount: 262_145)
    }
    await #expect(processExitsWith: .failure) {
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(bodyByteCount: -1)
    }
    await #expect(processExitsWith: .failure) {
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(previous: .zero)
    }
    await #expect(processExitsWith: .failure) {
      let lane = LaneID(digest: Digest(words: 1, 2, 3, 4))
      let position = LanePosition(lane: lane, number: 1)
      _ = try BundleHeader(decoding: LooseHeader().bytes).changing(context: [position, position])
    }
  }
}
