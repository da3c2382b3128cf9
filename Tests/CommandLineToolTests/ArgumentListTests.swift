import CommandLineTool
import Testing

@Suite struct `Command lines` {
  private static let options: [Option] = [
    .value("dir", letter: "d", "DIR", "where"), .flag("detach", "go away"),
    .value("exec", "PROGRAM", "the rest"), .output, .help,
    .value("name", "TEXT", "repeatable"),
  ]

  private func parse(
    _ arguments: String..., positionalMax: Int = 1
  ) throws -> ArgumentList {
    try ArgumentList(
      arguments, options: Self.options, positionalMax: positionalMax, remainder: "exec")
  }

  private func refusal(_ arguments: String...) -> String {
    do {
      _ = try ArgumentList(
        arguments, options: Self.options, positionalMax: 1, remainder: "exec")
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func `give options, flags and arguments in any order`() throws {
    for list in [
      try parse("4", "--dir", "x", "--detach"), try parse("--dir=x", "--detach", "4"),
      try parse("--detach", "-d", "x", "4"),
    ] {
      #expect(list.positional == ["4"])
      #expect(list.value("dir") == "x")
      #expect(list.has("detach"))
      #expect(!list.wantsJSON)
    }
  }

  @Test func `keep every value of an option and let the last one win`() throws {
    let list = try parse("--name", "a", "--name=b", "--name", "")
    #expect(list.values("name") == ["a", "b", ""])
    #expect(list.value("name")?.isEmpty == true)
  }

  @Test func `end with an option that takes the rest`() throws {
    let list = try parse("--detach", "--exec", "sh", "-c", "echo", "--help", "--exec")
    #expect(list.rest == ["sh", "-c", "echo", "--help", "--exec"])
    #expect(try parse("--", "--dir").rest == ["--dir"])
  }

  @Test func `take a value that looks like an option`() throws {
    #expect(try parse("--name", "--dir").value("name") == "--dir")
    #expect(try parse("-").positional == ["-"])
  }

  @Test func `are refused with a reason`() {
    #expect(refusal("--dri", "x") == "unknown option --dri (did you mean --dir?)")
    #expect(refusal("--zzzzzz") == "unknown option --zzzzzz")
    #expect(refusal("-x") == "unknown option -x")
    #expect(refusal("--detach=1") == "--detach takes no value")
    #expect(refusal("--dir") == "--dir needs a value: -d, --dir DIR")
    #expect(refusal("a", "b") == "unexpected argument 'b'")
    #expect(refusal("-o", "yaml") == "--output is 'yaml': expected table or json")
  }

  @Test(arguments: ["", "x", "0", "65", "-1", "4.0", "99999999999999999999"])
  func `refuse numbers out of range`(text: String) {
    #expect(throws: UsageError.self) { try ArgumentList.integer(text, "N", in: 1...64) }
  }

  @Test func `name what is missing`() throws {
    let list = try parse()
    #expect(throws: UsageError("--dir is missing")) { try list.required("dir") }
    #expect(throws: UsageError("I is missing")) { try list.argument(0, "I") }
    #expect(try list.integer("name", in: 1...2, default: 7) == 7)
  }
}
