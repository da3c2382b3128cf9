import JSONText
import Testing

struct JSONWriterTests {
  private func text(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func `containers place commas and colons`() {
    let written = text { writer in
      writer.beginObject()
      writer.key("a")
      writer.beginArray()
      writer.integer(1)
      writer.beginObject()
      writer.endObject()
      writer.beginArray()
      writer.endArray()
      writer.endArray()
      writer.key("b")
      writer.bool(false)
      writer.key("c")
      writer.null()
      writer.key("d")
      writer.raw(Array("[2]".utf8))
      writer.key("e")
      writer.hexadecimal([0x00, 0x9F, 0xAB])
      writer.endObject()
    }
    #expect(written == #"{"a":[1,{},[]],"b":false,"c":null,"d":[2],"e":"009fab"}"#)
  }

  @Test func `strings escape quotes, backslashes and controls only`() {
    let written = text { $0.string("a\"b\\c/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}é𝄞") }
    #expect(written == #""a\"b\\c/\b\f\n\r\t\u0001\u001f"# + "\u{7F}é𝄞\"")
  }

  @Test func `integers are written at both ends of their range`() {
    #expect(text { $0.integer(Int.min) } == "-9223372036854775808")
    #expect(text { $0.integer(Int64.max) } == "9223372036854775807")
    #expect(text { $0.unsigned(.max) } == "18446744073709551615")
    #expect(text { $0.integer(0) } == "0")
    #expect(text { $0.integer(Int64.min) } == "-9223372036854775808")
  }

  @Test(arguments: [
    (Int64(950_000), 6, "0.950000"), (-5, 1, "-0.5"), (12, 0, "12"), (0, 3, "0.000"),
    (.min, 18, "-9.223372036854775808"), (1_234, 2, "12.34"), (-100, 2, "-1.00"),
  ])
  func `fixed-point numbers show all their decimals`(number: Int64, scale: Int, expected: String) {
    #expect(text { $0.fixedPoint(number, scale: scale) } == expected)
  }

  @Test func `a reset writer starts an independent text`() {
    var writer = JSONWriter()
    writer.beginArray()
    writer.integer(1)
    writer.reset()
    writer.string("x")
    #expect(writer.bytes == Array("\"x\"".utf8))
  }

  @Test func `a key outside an object stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginArray()
      writer.key("a")
    }
  }

  @Test func `a value in an object without its key stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginObject()
      writer.integer(1)
    }
  }

  @Test func `a key without value stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginObject()
      writer.key("a")
      writer.endObject()
    }
  }

  @Test func `an end of the other container stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginObject()
      writer.endArray()
    }
  }

  @Test func `a second value stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.integer(1)
      writer.integer(2)
    }
  }

  @Test func `reading an unfinished text stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginArray()
      _ = writer.bytes
    }
  }
}
