import Configuration
import Crypto
import Primitives
import Testing

@Suite struct `A ticket` {
  @Test func `survives its text`() throws {
    let ticket = try Examples.ticket()
    #expect(ticket.text.hasPrefix("sot1_"))
    #expect(try Ticket(text: ticket.text) == ticket)
    #expect(try Ticket(text: "  \(ticket.text)\n") == ticket)
    #expect(ticket.guestKey.publicKey == SigningKey(seed: ticket.guestSeed).publicKey)
    #expect(try ticket.cluster == Examples.genesis([1]).cluster)
  }

  @Test func `is refused after any change of one character`() throws {
    let text = Array(try Examples.ticket().text.utf8)
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567ABCZ01_ -=".utf8)
    var refused = 0
    for index in text.indices {
      // Every replacement at some places, two at the others: a full square adds nothing but time.
      let offsets = index % 16 == 0 || index > text.count - 4 ? 0..<alphabet.count : 3..<5
      for offset in offsets {
        var changed = text
        changed[index] = alphabet[(offset + index) % alphabet.count]
        guard changed != text else { continue }
        let candidate = String(decoding: changed, as: UTF8.self)
        // White space at the end is trimmed, which leaves a ticket one character short.
        #expect(throws: ConfigurationError.self) { try Ticket(text: candidate) }
        refused += 1
      }
    }
    #expect(refused > text.count)
  }

  @Test func `is refused after any loss, addition and exchange of characters`() throws {
    let text = Array(try Examples.ticket().text.utf8)
    for index in text.indices {
      var shorter = text
      shorter.remove(at: index)
      var longer = text
      longer.insert(UInt8(ascii: "a"), at: index)
      var candidates = [shorter, longer, Array(text[..<index])]
      if index > 0, text[index] != text[index - 1] {
        var swapped = text
        swapped.swapAt(index, index - 1)
        candidates.append(swapped)
      }
      for candidate in candidates {
        let candidate = String(decoding: candidate, as: UTF8.self)
        #expect(throws: ConfigurationError.self) { try Ticket(text: candidate) }
      }
    }
  }

  @Test func `says what is wrong with it`() throws {
    let text = try Examples.ticket().text
    let damaged = String(text.dropLast()) + (text.hasSuffix("a") ? "b" : "a")
    #expect(
      Examples.refusal { _ = try Ticket(text: damaged) }.contains("copy the whole text again"))
    #expect(Examples.refusal { _ = try Ticket(text: "hello") }.contains("starts with sot1_"))
    let long = "sot1_" + String(repeating: "a", count: 40_000)
    #expect(Examples.refusal { _ = try Ticket(text: long) }.contains("longer than"))
  }

  @Test func `ends`() throws {
    let ticket = try Examples.ticket()
    #expect(!ticket.isExpired(atMilliseconds: ticket.expiresMilliseconds - 1))
    #expect(ticket.isExpired(atMilliseconds: ticket.expiresMilliseconds))
  }

  @Test func `cannot be issued for an address nobody can reach`() async {
    await #expect(processExitsWith: .failure) {
      _ = Ticket(
        genesis: try Examples.genesis([1]), address: try Examples.address("0.0.0.0:1"),
        guestSeed: .zero, expiresMilliseconds: 1, signedWith: Examples.key(1))
    }
  }
}

@Suite struct `Base 32` {
  /// RFC 4648, section 10, in lower case without padding.
  @Test(arguments: [
    ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"),
    ("fooba", "mzxw6ytb"), ("foobar", "mzxw6ytboi"),
  ])
  func `gives the published texts`(bytes: String, text: String) {
    #expect(Base32.text(Array(bytes.utf8)) == text)
    #expect(Base32.bytes(text) == Array(bytes.utf8))
  }

  @Test(arguments: ["m", "mz1", "MY", "my======", "mz", "mzx", "mzxw6y"])
  func `refuses every other form`(text: String) {
    #expect(Base32.bytes(text) == nil)
  }
}
