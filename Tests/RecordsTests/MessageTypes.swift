import Primitives
import Records
import Testing
import Wire

/// A message type as the tests that hold for all of them see it. To have a type covered by round
/// trips, truncations, mutations and the golden hashes, add a line to `all`.
struct MessageType: CustomTestStringConvertible, Sendable {
  /// The name, also in the golden file.
  let name: String

  /// A random value's bytes.
  let sample: @Sendable (inout Xoshiro256) -> [UInt8]

  /// Decodes and encodes again.
  let reencode: @Sendable ([UInt8]) throws -> [UInt8]

  var testDescription: String { name }

  static let all = [
    codable("Frontier") { random in
      let count = random.next(below: 20)
      return random.frontier(count)
    },
    codable("BundleHeader") { random in
      let key = random.key()
      let operations = random.operations(1 + random.next(below: 9))
      return random.header(by: key, over: operations)
    },
    codable("SignedHeader") { random in random.bundle().signedHeader },
    codable("SignedBundle") { random in random.bundle() },
    MessageType(
      name: "EquivocationProof",
      sample: { random in
        let (one, other) = random.fork()
        return EquivocationProof(checking: one, against: other)?.encoded ?? []
      },
      reencode: { try EquivocationProof.decode($0)?.encoded ?? [] }),
  ]

  private static func codable<Value: WireCodable>(
    _ name: String, _ make: @escaping @Sendable (inout Xoshiro256) -> Value
  ) -> MessageType {
    MessageType(
      name: name, sample: { make(&$0).encoded },
      reencode: { try Value(decoding: $0).encoded })
  }
}
