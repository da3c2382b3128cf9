import Configuration
import Crypto
import Primitives
import Records

/// Values that several suites use.
enum Examples {
  static let created: UInt64 = 1_767_225_600_000

  static func key(_ number: UInt64) -> SigningKey {
    SigningKey(seed: Digest(words: 0, 0, 0, number))
  }

  static func address(_ text: String) throws -> NetworkAddress {
    guard let address = NetworkAddress(text) else { throw NotAnAddress(text: text) }
    return address
  }

  struct NotAnAddress: Error { let text: String }

  static func voter(_ number: UInt64) throws -> Voter {
    Voter(
      node: NodeID(key: key(number).publicKey),
      transport: try address("127.0.0.1:\(4000 + number)"),
      api: try address("127.0.0.1:\(8000 + number)"))
  }

  static func genesis(_ numbers: [UInt64] = [1, 2, 3]) throws -> Genesis {
    try Genesis(name: "example", createdMilliseconds: created, voters: numbers.map(voter))
  }

  static func ticket() throws -> Ticket {
    Ticket(
      genesis: try genesis([1]), address: try address("127.0.0.1:4001"),
      guestSeed: Digest(words: 7, 7, 7, 7), expiresMilliseconds: created + 3_600_000,
      signedWith: key(1))
  }

  /// The description of the error that `body` throws; empty when it throws none.
  static func refusal(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }
}
