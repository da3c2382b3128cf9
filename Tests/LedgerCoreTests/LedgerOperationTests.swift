import Crypto
import LedgerCore
import Primitives
import Testing
import Wire

@Suite struct LedgerOperationCodecTests {
  @Test(arguments: Samples.all)
  func `an operation survives the wire`(operation: LedgerOperation) throws {
    #expect(operation.validate() == nil)
    #expect(try LedgerOperation(decoding: operation.encoded) == operation)
  }

  @Test(arguments: Samples.all)
  func `every truncation and every trailing byte is refused`(operation: LedgerOperation) {
    let bytes = operation.encoded
    for count in bytes.indices {
      #expect(throws: WireError.self) { try LedgerOperation(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: WireError.trailingBytes) { try LedgerOperation(decoding: bytes + [0]) }
  }

  @Test(arguments: UInt64(0)..<64)
  func `mutated bytes are refused or are the one form of what they say`(seed: UInt64) {
    var generator = Xoshiro256(seed: seed, purpose: "mutation")
    for operation in Samples.all {
      for _ in 0..<40 {
        var bytes = operation.encoded
        for _ in 0...generator.next(below: 3) {
          bytes[generator.next(below: bytes.count)] = UInt8(generator.next(below: 256))
        }
        // A refusal is as good as a canonical reading.
        guard let decoded = try? LedgerOperation(decoding: bytes) else { continue }
        #expect(decoded.encoded == bytes)
      }
    }
  }

  @Test(arguments: [UInt8(0), 12, 13, 128, 255])
  func `an unknown tag is refused`(tag: UInt8) {
    var bytes = Samples.all[0].encoded
    bytes[0] = tag
    #expect(throws: WireError.unknownTag(tag)) { try LedgerOperation(decoding: bytes) }
  }

  @Test func `specialties have one order and no repetitions`() throws {
    let registration = Samples.registration(specialties: [.creative, .factual, .creative])
    #expect(registration.specialties == [.factual, .creative])
    var bytes = LedgerOperation.register(registration).encoded
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: [2, 1, 4]) })
    bytes[place + 1] = 4
    #expect(throws: WireError.notCanonical) { try LedgerOperation(decoding: bytes) }
    bytes[place + 2] = 1
    #expect(throws: WireError.notCanonical) { try LedgerOperation(decoding: bytes) }
    bytes[place + 1] = 9
    #expect(throws: WireError.unknownTag(9)) { try LedgerOperation(decoding: bytes) }
  }

  @Test func `capabilities that mean nothing are refused`() {
    var registration = Samples.registration()
    registration.capabilities = Capabilities(rawValue: 8)
    #expect(throws: WireError.invalid("unknown capability")) {
      try LedgerOperation(decoding: LedgerOperation.register(registration).encoded)
    }
  }

  @Test func `texts beyond four bytes for each character are refused before they are read`() {
    let long = String(repeating: "n", count: 201)
    #expect(throws: WireError.overLimit) {
      try LedgerOperation(
        decoding: LedgerOperation.register(Samples.registration(name: long)).encoded)
    }
    let within = String(repeating: "n", count: 200)
    #expect(throws: Never.self) {
      try LedgerOperation(
        decoding: LedgerOperation.register(Samples.registration(name: within)).encoded)
    }
  }

  @Test func `the longest operation fits the stated bytes`() throws {
    let choices = (0..<64).map { index in
      String(repeating: "\u{1f600}", count: 196) + "\(1_000 + index)"
    }
    let longest = LedgerOperation.ask(
      Samples.posting(
        text: String(repeating: "\u{1f600}", count: 2_000), deadline: (1 << 48) - 1,
        minimumAnswers: 10_000, choices: choices))
    #expect(longest.validate() == nil)
    #expect(longest.encoded.count <= LedgerLimits.operationBytes)
    #expect(try LedgerOperation(decoding: longest.encoded) == longest)
  }

  @Test func `names of writes have one order and are bounded`() {
    let dots = [Samples.dot(1, 2), Samples.dot(1, 3)]
    for seen in [dots.reversed(), [dots[0], dots[0]]] {
      let change = Samples.change(.delete(priority: 0, seen: seen))
      #expect(throws: WireError.notCanonical) {
        try LedgerOperation(decoding: LedgerOperation.change(change).encoded)
      }
    }
    let many = Samples.change(.delete(priority: 0, seen: (1...65).map { Samples.dot(1, $0) }))
    #expect(throws: WireError.overLimit) {
      try LedgerOperation(decoding: LedgerOperation.change(many).encoded)
    }
  }

  @Test func `a policy, a flag or a text beyond its bytes is refused`() throws {
    var definition = LedgerOperation.define(Samples.definition()).encoded
    definition[7] = 6
    #expect(throws: WireError.unknownTag(6)) { try LedgerOperation(decoding: definition) }
    var change = LedgerOperation.change(Samples.change(.add(delta: 1))).encoded
    change[17] = 2
    #expect(throws: WireError.unknownTag(2)) { try LedgerOperation(decoding: change) }
    let long = Samples.change(.add(delta: 1), of: String(repeating: "k", count: 257))
    #expect(throws: WireError.overLimit) {
      try LedgerOperation(decoding: LedgerOperation.change(long).encoded)
    }
  }

  @Test(arguments: [1, -1, 9_007_199_254_740_991, .max, .min] as [Int64])
  func `amounts of either sign survive the wire`(delta: Int64) throws {
    let change = LedgerOperation.change(Samples.change(.add(delta: delta)))
    #expect(try LedgerOperation(decoding: change.encoded) == change)
  }

  @Test func `the bytes of operations are fixed for ever`() {
    let digests = Samples.all.map { Blake2b.hash($0.encoded, .audit).short }
    #expect(
      digests == [
        "6dd7bdd0", "40da3716", "ef30d82b", "260bbdbe", "6e33938a", "51cf445b", "6cff4eca",
        "8afcac8e", "3a45d415", "13359a3c", "d2cc4ac0", "c0e7e0ca",
      ])
  }
}

@Suite struct LedgerRuleTests {
  private static let amount: Int64 = 9_007_199_254_740_991

  static let faults: [(LedgerOperation, LedgerFault)] = [
    (
      .register(Samples.registration(name: "ab")),
      LedgerFault(.name, .tooShort(minimum: 3, actual: 2))
    ),
    (
      .register(Samples.registration(name: String(repeating: "é", count: 51))),
      LedgerFault(.name, .tooLong(maximum: 50, actual: 51))
    ),
    (.register(Samples.registration(name: "a\nb")), LedgerFault(.name, .controlCharacter)),
    (.register(Samples.registration(name: "a\u{85}b")), LedgerFault(.name, .controlCharacter)),
    (.register(Samples.registration(name: "a\u{7f}b")), LedgerFault(.name, .controlCharacter)),
    (.register(Samples.registration(name: "   ")), LedgerFault(.name, .blank)),
    (
      .register(Samples.registration(description: String(repeating: "d", count: 201))),
      LedgerFault(.description, .tooLong(maximum: 200, actual: 201))
    ),
    (
      .register(Samples.registration(description: "a\u{0}")),
      LedgerFault(.description, .controlCharacter)
    ),
    (
      .register(Samples.registration(platform: "")),
      LedgerFault(.platform, .tooShort(minimum: 1, actual: 0))
    ),
    (
      .register(Samples.registration(platform: "my platform")),
      LedgerFault(.platform, .notAWord)
    ),
    (
      .register(Samples.registration(capabilities: Capabilities(rawValue: 9))),
      LedgerFault(.capabilities, .unknownFlag)
    ),
    (
      .ask(Samples.posting(text: "Why, why?")),
      LedgerFault(.text, .tooShort(minimum: 10, actual: 9))
    ),
    (.ask(Samples.posting(text: "What about \r\n this?")), LedgerFault(.text, .controlCharacter)),
    (
      .ask(Samples.posting(deadline: 0)),
      LedgerFault(.deadline, .outOfRange(minimum: 1, maximum: (1 << 48) - 1))
    ),
    (
      .ask(Samples.posting(deadline: 1 << 48)),
      LedgerFault(.deadline, .outOfRange(minimum: 1, maximum: (1 << 48) - 1))
    ),
    (
      .ask(Samples.posting(minimumAnswers: 0)),
      LedgerFault(.minimumAnswers, .outOfRange(minimum: 1, maximum: 10_000))
    ),
    (
      .ask(Samples.posting(minimumAnswers: 10_001)),
      LedgerFault(.minimumAnswers, .outOfRange(minimum: 1, maximum: 10_000))
    ),
    (
      .ask(Samples.posting(choices: ["only"])),
      LedgerFault(.choices, .wrongCount(minimum: 2, maximum: 64, actual: 1))
    ),
    (
      .ask(Samples.posting(choices: (0...64).map { "choice \($0)" })),
      LedgerFault(.choices, .wrongCount(minimum: 2, maximum: 64, actual: 65))
    ),
    (.ask(Samples.posting(choices: ["Yes", "no", " YES."])), LedgerFault(.choices, .repeated)),
    (
      .ask(Samples.posting(choices: ["yes", ""])),
      LedgerFault(.choices, .tooShort(minimum: 1, actual: 0))
    ),
    (.ask(Samples.posting(choices: ["yes", "n\no"])), LedgerFault(.choices, .controlCharacter)),
    (
      .answer(Samples.answer(value: String(repeating: "v", count: 201))),
      LedgerFault(.value, .tooLong(maximum: 200, actual: 201))
    ),
    (.answer(Samples.answer(value: "\t")), LedgerFault(.value, .controlCharacter)),
    (
      .answer(Samples.answer(content: "Too short")),
      LedgerFault(.content, .tooShort(minimum: 10, actual: 9))
    ),
    (
      .answer(Samples.answer(reasoning: "Also much too short")),
      LedgerFault(.reasoning, .tooShort(minimum: 20, actual: 19))
    ),
    (
      .answer(Samples.answer(confidence: 1_000_001)),
      LedgerFault(.confidence, .outOfRange(minimum: 0, maximum: 1_000_000))
    ),
    (
      .answer(Samples.answer(stake: 1_000_000_000_001)),
      LedgerFault(.stake, .outOfRange(minimum: 0, maximum: 1_000_000_000_000))
    ),
    (.define(Samples.definition("a b")), LedgerFault(.collection, .notAWord)),
    (.define(Samples.definition("é")), LedgerFault(.collection, .notAWord)),
    (
      .define(Samples.definition(String(repeating: "c", count: 65))),
      LedgerFault(.collection, .tooLong(maximum: 64, actual: 65))
    ),
    (
      .change(Samples.change(.add(delta: 1), of: "")),
      LedgerFault(.key, .tooShort(minimum: 1, actual: 0))
    ),
    (
      .change(Samples.change(.add(delta: 1), of: String(repeating: "é", count: 129))),
      LedgerFault(.key, .tooManyBytes(maximum: 256, actual: 258))
    ),
    (.change(Samples.change(.add(delta: 1), of: "a\nb")), LedgerFault(.key, .controlCharacter)),
    (.change(Samples.change(.add(delta: 1), in: "a/b")), LedgerFault(.collection, .notAWord)),
    (.change(Samples.change(.add(delta: 0))), LedgerFault(.delta, .notAnAmount(maximum: amount))),
    (
      .change(Samples.change(.add(delta: amount + 1))),
      LedgerFault(.delta, .notAnAmount(maximum: amount))
    ),
    (
      .change(Samples.change(.add(delta: .min))),
      LedgerFault(.delta, .notAnAmount(maximum: amount))
    ),
    (
      .change(Samples.change(.put(value: "", priority: 0, seen: []))),
      LedgerFault(.value, .tooShort(minimum: 1, actual: 0))
    ),
    (
      .change(
        Samples.change(
          .put(value: String(repeating: "1", count: 16_385), priority: 0, seen: []))),
      LedgerFault(.value, .tooManyBytes(maximum: 16_384, actual: 16_385))
    ),
    (
      .change(Samples.change(.put(value: "1", priority: 10, seen: []))),
      LedgerFault(.priority, .outOfRange(minimum: 0, maximum: 9))
    ),
    (
      .change(Samples.change(.delete(priority: 10, seen: []))),
      LedgerFault(.priority, .outOfRange(minimum: 0, maximum: 9))
    ),
    (
      .change(
        Samples.change(.delete(priority: 0, seen: (1...65).map { Samples.dot(1, $0) }))),
      LedgerFault(.seen, .wrongCount(minimum: 0, maximum: 64, actual: 65))
    ),
    (
      .change(
        Samples.change(
          .remove(element: "e", seen: [Samples.dot(2, 1), Samples.dot(1, 1)]))),
      LedgerFault(.seen, .repeated)
    ),
    (
      .change(Samples.change(.insert(element: String(repeating: "e", count: 257), seen: []))),
      LedgerFault(.element, .tooManyBytes(maximum: 256, actual: 257))
    ),
    (
      .resolve(Samples.resolution(value: "")),
      LedgerFault(.value, .tooShort(minimum: 1, actual: 0))
    ),
    (
      .resolve(Samples.resolution(value: String(repeating: "r", count: 1_001))),
      LedgerFault(.value, .tooLong(maximum: 1_000, actual: 1_001))
    ),
  ]

  @Test(arguments: faults)
  func `a broken rule is named with its field`(operation: LedgerOperation, fault: LedgerFault) {
    #expect(operation.validate() == fault)
    #expect(fault.description.hasPrefix(fault.field.rawValue + " must "))
  }

  @Test func `texts at their limits are accepted`() {
    let longest = String(repeating: "é", count: 50)
    #expect(LedgerOperation.register(Samples.registration(name: "abc")).validate() == nil)
    #expect(LedgerOperation.register(Samples.registration(name: longest)).validate() == nil)
    #expect(LedgerOperation.register(Samples.registration(description: "")).validate() == nil)
    #expect(LedgerOperation.answer(Samples.answer(value: "")).validate() == nil)
    let lines = "First line\n\tsecond line\u{a0}!"
    #expect(LedgerOperation.answer(Samples.answer(content: lines)).validate() == nil)
    let two = LedgerOperation.ask(Samples.posting(choices: ["yes", "no"]))
    #expect(two.validate() == nil)
  }

  @Test(arguments: [
    "192.0.2.1:1", "node-1.example_net:65535", "[2001:db8::1]:4433", "[::ffff:10.0.0.1]:80",
    "localhost:8080",
  ])
  func `addresses with a port are accepted`(address: String) {
    let transport = Samples.announcement(transport: address)
    let api = Samples.announcement(api: "https://" + address)
    #expect(LedgerOperation.announce(transport).validate() == nil)
    #expect(LedgerOperation.announce(api).validate() == nil)
  }

  @Test(arguments: [
    "192.0.2.1", "192.0.2.1:", ":80", "host:0", "host:080", "host:65536", "host:123456",
    "2001:db8::1:80", "[2001:db8::1]", "[]:80", "[host]:80", "[::1:80", "ho st:80", "host:8x",
    "häst:80", "user@host:80", "host/path:80",
  ])
  func `other addresses are refused`(address: String) {
    let transport = Samples.announcement(transport: address)
    let api = Samples.announcement(api: "http://" + address)
    #expect(
      LedgerOperation.announce(transport).validate()
        == LedgerFault(.transportAddress, .notAnAddress))
    #expect(LedgerOperation.announce(api).validate() == LedgerFault(.apiAddress, .notAnAddress))
  }

  @Test(arguments: ["host:80", "ftp://host:80", "http:/host:80", "HTTP://host:80", "https://host"])
  func `an address for agents needs a scheme`(address: String) {
    let api = Samples.announcement(api: address)
    #expect(LedgerOperation.announce(api).validate() == LedgerFault(.apiAddress, .notAnAddress))
  }
}
