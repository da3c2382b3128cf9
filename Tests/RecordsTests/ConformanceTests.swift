import Crypto
import Foundation
import Primitives
import Testing

/// One hash per message type over the bytes of many values: a change of any byte of any form shows.
///
/// The file is rewritten by running the tests with `UPDATE_GOLDEN=1`. A changed line means that old
/// nodes cannot read new ones: the version in the type's form must change with it.
@Suite struct ConformanceTests {
  private static let seeds: Range<UInt64> = 0..<256

  private static var file: URL {
    URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden/conformance.txt")
  }

  private static func line(for type: MessageType) -> String {
    var chain = Digest.zero
    for seed in seeds {
      var random = Xoshiro256(seed: seed, purpose: "conformance \(type.name)")
      chain = Blake2b.hash(chain.bytes + type.sample(&random), .audit)
    }
    return "\(type.name) \(chain.hexadecimal)"
  }

  @Test func `the bytes of every message type are those of the golden file`() throws {
    let lines = MessageType.all.map(ConformanceTests.line(for:))
    let text = lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try text.write(to: ConformanceTests.file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: ConformanceTests.file, encoding: .utf8)
    #expect(golden.split(separator: "\n").map(String.init) == lines)
  }
}
