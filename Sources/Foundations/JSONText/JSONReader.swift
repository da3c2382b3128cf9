/// A strict recursive-descent reader of RFC 8259 texts.
///
/// Stricter than the grammar asks where the RFC leaves a choice: repeated keys, lone surrogates and
/// a byte order mark are refused. Cost is linear in the text, except that the keys of an object
/// with many members are sorted once to find repetitions.
struct JSONReader {
  /// Objects up to this size look for repeated keys pairwise, which needs no memory.
  private static let pairwiseMembersMax = 16

  private let limits: JSONLimits
  private var offset = 0
  private var depth = 0
  private var members = 0
  private var scratch: [UInt8] = []

  init(limits: JSONLimits) {
    self.limits = limits
  }

  /// Reads the one value that `bytes` must hold.
  mutating func document(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    guard bytes.count <= limits.bytesMax else {
      throw JSONError(offset: limits.bytesMax, reason: .tooLong(limit: limits.bytesMax))
    }
    skipSpace(bytes)
    let value = try value(bytes)
    skipSpace(bytes)
    guard offset == bytes.count else { throw failure(.trailingBytes) }
    return value
  }

  private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    guard offset < bytes.count else { throw failure(.unexpectedEnd) }
    let byte = bytes[offset]
    switch byte {
    case UInt8(ascii: "{"): return .object(try object(bytes))
    case UInt8(ascii: "["): return .array(try array(bytes))
    case UInt8(ascii: "\""): return .string(try string(bytes))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
    case UInt8(ascii: "t"): return try literal("true", .bool(true), bytes)
    case UInt8(ascii: "f"): return try literal("false", .bool(false), bytes)
    case UInt8(ascii: "n"): return try literal("null", .null, bytes)
    default: throw failure(.unexpectedByte(byte))
    }
  }

  private mutating func object(_ bytes: Span<UInt8>) throws(JSONError) -> [JSONMember] {
    try enter()
    var result: [JSONMember] = []
    var keyOffsets: [Int] = []
    if !take(UInt8(ascii: "}"), bytes) {
      repeat {
        skipSpace(bytes)
        try countMember()
        keyOffsets.append(offset)
        try require(UInt8(ascii: "\""), bytes, consume: false)
        let key = try string(bytes)
        skipSpace(bytes)
        try require(UInt8(ascii: ":"), bytes, consume: true)
        skipSpace(bytes)
        result.append(JSONMember(key: key, value: try value(bytes)))
      } while take(UInt8(ascii: ","), bytes)
      try require(UInt8(ascii: "}"), bytes, consume: true)
    }
    if let repeated = Self.repeatedKey(result) {
      throw JSONError(offset: keyOffsets[repeated], reason: .duplicateKey)
    }
    depth -= 1
    return result
  }

  private mutating func array(_ bytes: Span<UInt8>) throws(JSONError) -> [JSONValue] {
    try enter()
    var result: [JSONValue] = []
    if !take(UInt8(ascii: "]"), bytes) {
      repeat {
        skipSpace(bytes)
        try countMember()
        result.append(try value(bytes))
      } while take(UInt8(ascii: ","), bytes)
      try require(UInt8(ascii: "]"), bytes, consume: true)
    }
    depth -= 1
    return result
  }

  /// Returns the index of a member whose key an earlier member has too.
  private static func repeatedKey(_ members: [JSONMember]) -> Int? {
    if members.count <= pairwiseMembersMax {
      for index in members.indices.dropFirst() {
        let key = members[index].key.utf8
        for earlier in members[..<index] where earlier.key.utf8.elementsEqual(key) {
          return index
        }
      }
      return nil
    }
    let order = members.indices.sorted {
      members[$0].key.utf8.lexicographicallyPrecedes(members[$1].key.utf8)
    }
    for (left, right) in zip(order, order.dropFirst())
    where members[left].key.utf8.elementsEqual(members[right].key.utf8) {
      return max(left, right)
    }
    return nil
  }
}

// MARK: - Strings

extension JSONReader {
  /// Reads a string whose opening quote is at the offset.
  private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> String {
    offset += 1
    var start = offset
    var isScratchUsed = false
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        defer { offset += 1 }
        if !isScratchUsed {
          try checkLength(offset - start, at: start)
          return try text(bytes, from: start)
        }
        try appendRun(bytes, from: start)
        try checkLength(scratch.count, at: start)
        return String(decoding: scratch, as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\") {
        if !isScratchUsed {
          scratch.removeAll(keepingCapacity: true)
          isScratchUsed = true
        }
        try appendRun(bytes, from: start)
        try checkLength(scratch.count, at: start)
        try escape(bytes)
        start = offset
      } else if byte < 0x20 {
        throw failure(.controlCharacter(byte))
      } else {
        offset += 1
      }
    }
    throw failure(.unexpectedEnd)
  }

  private func checkLength(_ count: Int, at start: Int) throws(JSONError) {
    guard count <= limits.stringBytesMax else {
      throw JSONError(offset: start, reason: .stringTooLong(limit: limits.stringBytesMax))
    }
  }

  /// Copies the bytes from `start` to the offset as a string, refusing what is not UTF-8.
  private func text(_ bytes: Span<UInt8>, from start: Int) throws(JSONError) -> String {
    do {
      return String(copying: try UTF8Span(validating: bytes.extracting(start..<offset)))
    } catch {
      throw JSONError(offset: start + error.byteOffsets.lowerBound, reason: .invalidUTF8)
    }
  }

  /// Appends the bytes from `start` to the offset to the scratch, refusing what is not UTF-8.
  private mutating func appendRun(_ bytes: Span<UInt8>, from start: Int) throws(JSONError) {
    let run = bytes.extracting(start..<offset)
    do {
      _ = try UTF8Span(validating: run)
    } catch {
      throw JSONError(offset: start + error.byteOffsets.lowerBound, reason: .invalidUTF8)
    }
    run.withUnsafeBufferPointer { scratch.append(contentsOf: $0) }
  }

  /// Resolves the escape whose backslash is at the offset into the scratch bytes.
  private mutating func escape(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = offset
    guard offset + 1 < bytes.count else { throw failure(.unexpectedEnd) }
    let byte = bytes[offset + 1]
    offset += 2
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte)
    case UInt8(ascii: "b"): scratch.append(0x08)
    case UInt8(ascii: "f"): scratch.append(0x0C)
    case UInt8(ascii: "n"): scratch.append(0x0A)
    case UInt8(ascii: "r"): scratch.append(0x0D)
    case UInt8(ascii: "t"): scratch.append(0x09)
    case UInt8(ascii: "u"):
      var code = UInt32(try hexadecimal(bytes))
      if (0xD800...0xDBFF).contains(code) {
        guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
          bytes[offset + 1] == UInt8(ascii: "u")
        else { throw JSONError(offset: start, reason: .loneSurrogate) }
        offset += 2
        let low = UInt32(try hexadecimal(bytes))
        guard (0xDC00...0xDFFF).contains(low) else {
          throw JSONError(offset: start, reason: .loneSurrogate)
        }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw JSONError(offset: start, reason: .loneSurrogate)
      }
      scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default: throw JSONError(offset: start, reason: .invalidEscape)
    }
  }

  private mutating func hexadecimal(_ bytes: Span<UInt8>) throws(JSONError) -> UInt16 {
    var code: UInt16 = 0
    for _ in 0..<4 {
      guard offset < bytes.count else { throw failure(.unexpectedEnd) }
      let digit: UInt8
      switch bytes[offset] {
      case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"):
        digit = byte - UInt8(ascii: "0")
      case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
        digit = byte - UInt8(ascii: "a") + 10
      case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"):
        digit = byte - UInt8(ascii: "A") + 10
      default: throw failure(.invalidEscape)
      }
      code = code << 4 | UInt16(digit)
      offset += 1
    }
    return code
  }
}

// MARK: - Numbers

extension JSONReader {
  private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    let start = offset
    let isNegative = bytes[offset] == UInt8(ascii: "-")
    if isNegative { offset += 1 }
    let digitsStart = offset
    var total: Int64? = 0
    while let digit = digit(bytes) {
      total = Self.appending(digit, to: total, isNegative: isNegative)
      offset += 1
    }
    guard offset > digitsStart,
      bytes[digitsStart] != UInt8(ascii: "0") || offset == digitsStart + 1
    else { throw failure(.invalidNumber) }
    var isInteger = true
    if peek(UInt8(ascii: "."), bytes) {
      isInteger = false
      offset += 1
      try digits(bytes)
    }
    if peek(UInt8(ascii: "e"), bytes) || peek(UInt8(ascii: "E"), bytes) {
      isInteger = false
      offset += 1
      if peek(UInt8(ascii: "+"), bytes) || peek(UInt8(ascii: "-"), bytes) { offset += 1 }
      try digits(bytes)
    }
    guard offset - start <= limits.numberBytesMax else {
      throw JSONError(offset: start, reason: .numberTooLong(limit: limits.numberBytesMax))
    }
    if isInteger, let total { return .integer(total) }
    let text = bytes.extracting(start..<offset).withUnsafeBufferPointer { [UInt8]($0) }
    return .decimal(JSONDecimal(checked: text))
  }

  private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = offset
    while digit(bytes) != nil { offset += 1 }
    guard offset > start else { throw failure(.invalidNumber) }
  }

  /// Accumulates towards the sign's own bound, so that `Int64.min` fits; `nil` once it does not.
  private static func appending(_ digit: Int64, to total: Int64?, isNegative: Bool) -> Int64? {
    guard let total else { return nil }
    let (product, overflowed) = total.multipliedReportingOverflow(by: 10)
    guard !overflowed else { return nil }
    let (sum, overflows) =
      isNegative
      ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
    return overflows ? nil : sum
  }

  private func digit(_ bytes: Span<UInt8>) -> Int64? {
    guard offset < bytes.count else { return nil }
    let value = bytes[offset] &- UInt8(ascii: "0")
    return value < 10 ? Int64(value) : nil
  }
}

// MARK: - Tokens

extension JSONReader {
  private func failure(_ reason: JSONError.Reason) -> JSONError {
    JSONError(offset: offset, reason: reason)
  }

  /// Steps over an opening bracket, counting one more open container.
  private mutating func enter() throws(JSONError) {
    guard depth < limits.depth else { throw failure(.tooDeep(limit: limits.depth)) }
    depth += 1
    offset += 1
  }

  private mutating func countMember() throws(JSONError) {
    members += 1
    guard members <= limits.membersMax else {
      throw failure(.tooManyMembers(limit: limits.membersMax))
    }
  }

  private mutating func skipSpace(_ bytes: Span<UInt8>) {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  private func peek(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
    offset < bytes.count && bytes[offset] == byte
  }

  /// Skips space, then consumes `byte` if it is next.
  private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
    skipSpace(bytes)
    guard peek(byte, bytes) else { return false }
    offset += 1
    return true
  }

  private mutating func require(
    _ byte: UInt8, _ bytes: Span<UInt8>, consume: Bool
  ) throws(JSONError) {
    guard offset < bytes.count else { throw failure(.unexpectedEnd) }
    guard bytes[offset] == byte else { throw failure(.unexpectedByte(bytes[offset])) }
    if consume { offset += 1 }
  }

  private mutating func literal(
    _ text: String, _ value: JSONValue, _ bytes: Span<UInt8>
  ) throws(JSONError) -> JSONValue {
    for byte in text.utf8 { try require(byte, bytes, consume: true) }
    return value
  }
}

extension JSONValue {
  /// Reads the one JSON value that `bytes` must hold, refusing everything beyond `limits`.
  package static func parse(
    _ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()
  ) throws(JSONError) -> JSONValue {
    var reader = JSONReader(limits: limits)
    return try reader.document(bytes)
  }

  /// Reads the one JSON value that `bytes` must hold, refusing everything beyond `limits`.
  package static func parse(
    _ bytes: [UInt8], limits: JSONLimits = JSONLimits()
  ) throws(JSONError) -> JSONValue {
    try parse(bytes.span, limits: limits)
  }
}
