import Primitives
import Testing
import Wire

/// Decodes with a closure, for `#expect` cannot hold a span.
private func read<Value>(
  _ bytes: [UInt8], _ body: (borrowing RawSpan, inout WireCursor) throws(WireError) -> Value
) throws(WireError) -> Value {
  var cursor = WireCursor()
  let span = bytes.span.bytes
  let value = try body(span, &cursor)
  try cursor.expectEnd(span)
  return value
}

private func variable(_ value: UInt64) -> [UInt8] {
  var writer = WireWriter()
  writer.writeVariable(value)
  return writer.bytes
}

@Suite struct VariableTests {
  @Test(
    arguments: [
      (0, [0]), (1, [1]), (127, [0x7f]), (128, [0x80, 1]), (300, [0xac, 2]),
      (16_383, [0xff, 0x7f]),
      (16_384, [0x80, 0x80, 1]), (624_485, [0xe5, 0x8e, 0x26]),
      (.max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
    ] as [(UInt64, [UInt8])])
  func `numbers have the bytes of LEB128`(value: UInt64, bytes: [UInt8]) throws {
    #expect(variable(value) == bytes)
    #expect(
      try read(bytes) { span, cursor throws(WireError) in try cursor.readVariable(span) } == value)
  }

  @Test func `every length and its neighbours round trip`() throws {
    for shift: UInt64 in 0..<64 {
      for value in [(1 << shift) - 1, 1 << shift, (1 << shift) + 1] as [UInt64] {
        let bytes = variable(value)
        #expect(WireWriter.byteCount(ofVariable: value) == bytes.count)
        let decoded = try read(bytes) { span, cursor throws(WireError) in
          try cursor.readVariable(span)
        }
        #expect(decoded == value)
        for count in 0..<bytes.count {
          #expect(throws: WireError.truncated) {
            try read(Array(bytes.prefix(count))) { span, cursor throws(WireError) in
              try cursor.readVariable(span)
            }
          }
        }
      }
    }
    #expect(WireWriter.byteCount(ofBytes: 127) == 128)
    #expect(WireWriter.byteCount(ofBytes: 128) == 130)
  }

  @Test(
    arguments: [
      ([0x80, 0], .notCanonical), ([0xff, 0], .notCanonical), ([0x80, 0x80, 0], .notCanonical),
      ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], .notCanonical),
      ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], .overLimit),
      ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], .overLimit),
      ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0], .overLimit),
      ([0, 0], .trailingBytes), ([], .truncated),
    ] as [([UInt8], WireError)])
  func `other forms are refused`(bytes: [UInt8], error: WireError) {
    #expect(throws: error) {
      try read(bytes) { span, cursor throws(WireError) in try cursor.readVariable(span) }
    }
  }

  @Test func `a limit is the largest number accepted`() throws {
    let value = try read(variable(1_000)) { span, cursor throws(WireError) in
      try cursor.readVariable(span, limit: 1_000)
    }
    #expect(value == 1_000)
    #expect(throws: WireError.overLimit) {
      try read(variable(1_001)) { span, cursor throws(WireError) in
        try cursor.readVariable(span, limit: 1_000)
      }
    }
  }
}

@Suite struct WireCursorTests {
  @Test func `fixed numbers are little endian and names are bytes as they are`() throws {
    var writer = WireWriter(capacity: 64)
    writer.write(UInt8(1))
    writer.write(UInt16(0x0203))
    writer.write(UInt32(0x0405_0607))
    writer.write(UInt64(0x0809_0a0b_0c0d_0e0f))
    let digest = try #require(Digest(Array(100..<132)))
    writer.write(digest)
    writer.write(Identifier<Never>(high: 0x1112_1314_1516_1718, low: 0x191a_1b1c_1d1e_1f20))
    writer.writeText("é")
    writer.writeRaw([7, 8])
    let bytes = writer.bytes
    #expect(
      bytes == [1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8] + Array(100..<132)
        + Array(0x11...0x20) + [2, 0xc3, 0xa9, 7, 8])
    try WireCursorTests.checkAll(of: bytes, digest: digest)
    for count in 0..<bytes.count {
      #expect(throws: WireError.truncated) {
        try WireCursorTests.checkAll(of: Array(bytes.prefix(count)), digest: digest)
      }
    }
    #expect(throws: WireError.trailingBytes) {
      try WireCursorTests.checkAll(of: bytes + [0], digest: digest)
    }
    writer.removeAll()
    #expect(writer.bytes.isEmpty)
  }

  private static func checkAll(of bytes: [UInt8], digest: Digest) throws(WireError) {
    var cursor = WireCursor()
    let span = bytes.span.bytes
    let one = try cursor.readUInt8(span)
    let two = try cursor.readUInt16(span)
    let four = try cursor.readUInt32(span)
    let eight = try cursor.readUInt64(span)
    let name = try cursor.readDigest(span)
    let identifier: Identifier<Never> = try cursor.readIdentifier(span)
    let text = try cursor.readText(span, limit: 2)
    let raw = try cursor.readRaw(span, count: 2)
    try cursor.expectEnd(span)
    #expect(one == 1 && two == 0x0203 && four == 0x0405_0607 && eight == 0x0809_0a0b_0c0d_0e0f)
    #expect(name == digest && identifier.high == 0x1112_1314_1516_1718)
    #expect(text == "é" && raw == [7, 8])
  }

  @Test func `lengths beyond their limit are refused before the bytes are looked for`() {
    #expect(throws: WireError.overLimit) {
      try read(variable(.max)) { span, cursor throws(WireError) in
        try cursor.readBytes(span, limit: 1 << 40)
      }
    }
    #expect(throws: WireError.overLimit) {
      try read([3, 1, 2, 3]) { span, cursor throws(WireError) in
        try cursor.readBytes(span, limit: 2)
      }
    }
  }

  @Test func `lengths within their limit but beyond the bytes are refused without allocating`() {
    // 2^62 bytes could not be had: the process would stop if the length were believed.
    for length: UInt64 in [4, 1 << 32, 1 << 62, UInt64(Int.max)] {
      #expect(throws: WireError.truncated) {
        try read(variable(length) + [1, 2, 3]) { span, cursor throws(WireError) in
          try cursor.readBytes(span, limit: .max)
        }
      }
      #expect(throws: WireError.truncated) {
        try read(variable(length) + [1, 2, 3]) { span, cursor throws(WireError) in
          try cursor.readCount(span, limit: .max, bytesEach: 33)
        }
      }
    }
  }

  @Test func `a count is accepted when its things can be present`() throws {
    let count = try read([2, 1, 2, 3, 4, 5, 6]) { span, cursor throws(WireError) in
      let count = try cursor.readCount(span, limit: 2, bytesEach: 3)
      _ = try cursor.readRaw(span, count: 6)
      return count
    }
    #expect(count == 2)
    #expect(throws: WireError.truncated) {
      try read([2, 1, 2, 3, 4, 5]) { span, cursor throws(WireError) in
        try cursor.readCount(span, limit: 2, bytesEach: 3)
      }
    }
    #expect(throws: WireError.overLimit) {
      try read([3] + Array(repeating: 0, count: 9)) { span, cursor throws(WireError) in
        try cursor.readCount(span, limit: 2, bytesEach: 3)
      }
    }
  }

  @Test(
    arguments: [
      [1, 0x80], [2, 0xc3, 0x28], [2, 0xc0, 0x80], [3, 0xed, 0xa0, 0x80], [1, 0xff],
      [2, 0x61, 0xc3],
      [4, 0xf4, 0x90, 0x80, 0x80],
    ] as [[UInt8]])
  func `bytes that are not UTF-8 are no text`(bytes: [UInt8]) {
    #expect(throws: WireError.notUTF8) {
      try read(bytes) { span, cursor throws(WireError) in try cursor.readText(span, limit: 10) }
    }
  }

  @Test func `text keeps its bytes whatever Swift thinks equal`() throws {
    for text in ["", "\u{e9}", "e\u{301}", "\u{0}", "\u{10ffff}", "\u{feff}a"] {
      var writer = WireWriter()
      writer.writeText(text)
      let decoded = try read(writer.bytes) { span, cursor throws(WireError) in
        try cursor.readText(span, limit: 10)
      }
      #expect(Array(decoded.utf8) == Array(text.utf8))
    }
  }

  @Test func `a cursor beyond the end finds nothing`() {
    let bytes: [UInt8] = [1, 2, 3]
    #expect(throws: WireError.truncated) {
      var cursor = WireCursor(offset: 4)
      _ = try cursor.readUInt8(bytes.span.bytes)
    }
    #expect(throws: WireError.truncated) {
      var cursor = WireCursor(offset: 4)
      _ = try cursor.readRaw(bytes.span.bytes, count: 0)
    }
  }

  @Test func `our own wrong arguments stop the process`() async {
    await #expect(processExitsWith: .failure) { _ = WireCursor(offset: -1) }
    await #expect(processExitsWith: .failure) {
      var cursor = WireCursor()
      let bytes: [UInt8] = [1, 2]
      _ = try cursor.readCount(bytes.span.bytes, limit: 1, bytesEach: 0)
    }
    await #expect(processExitsWith: .failure) {
      var cursor = WireCursor()
      let bytes: [UInt8] = [1, 2]
      _ = try cursor.readCount(bytes.span.bytes, limit: -1)
    }
  }
}
