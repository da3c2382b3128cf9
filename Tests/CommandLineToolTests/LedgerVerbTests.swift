import CommandLineTool
import Configuration
import Foundation
import JSONText
import Testing

/// The verbs that check files offline, on the files of `ProofFilesTests`.
@Suite struct `Offline checks` {
  private let tool = Tool.standard { _ in 0 }
  private static let files = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../ProofFilesTests/Golden").standardizedFileURL.path
  private static let genesis = "\(files)/genesis.json"

  @Test(arguments: [
    "operation.json", "row.json", "absent-other.json", "absent-empty.json", "boundary.json",
    "receipt.json", "receipt-with-proof.json",
  ])
  func `accept what holds and say what it shows`(file: String) {
    let path = "\(Self.files)/\(file)"
    let (status, output, errors) = tool.transcript(
      "verify-proof", path, "--genesis", Self.genesis)
    #expect(status == 0, "\(errors)")
    #expect(output.hasPrefix("it holds\n"))
    let json = tool.transcript("verify-proof", path, "--genesis", Self.genesis, "-o", "json")
    #expect((try? JSONValue.parse(Array(json.output.utf8)))?["holds"]?.bool == true)
  }

  @Test func `refuse what does not hold`() throws {
    let directory = try TemporaryDirectory()
    let text = String(decoding: try Files.read("\(Self.files)/row.json"), as: UTF8.self)
    let forged = directory.file("forged.json")
    try Files.create(forged, Array(text.replacing(#""height":3"#, with: #""height":2"#).utf8))
    for (path, reason) in [
      (forged, "height 2 with its roots is not what the first header vouches for"),
      ("\(Self.files)/ledger.jsonl", "ledger verify checks it"),
      (Self.genesis, "format is missing"),
    ] {
      let (status, output, errors) = tool.transcript(
        "verify-proof", path, "--genesis", Self.genesis)
      #expect(status == 1)
      #expect(output.isEmpty)
      #expect(errors.contains(reason), "\(errors)")
    }
    let untrusted = tool.transcript("verify-proof", "\(Self.files)/row.json")
    #expect(untrusted.status == 64)
    #expect(untrusted.errors.contains("give --genesis FILE"))
  }

  @Test func `accept an exported ledger, and none that is cut or of another chain`() throws {
    let directory = try TemporaryDirectory()
    let whole = "\(Self.files)/ledger.jsonl"
    let sound = tool.transcript("ledger", "verify", whole, "--genesis", Self.genesis)
    #expect(sound.status == 0, "\(sound.errors)")
    #expect(sound.output.contains("5 blocks in 2 epochs"))
    #expect(sound.output.hasSuffix("sound\n"))
    let lines = String(decoding: try Files.read(whole), as: UTF8.self).split(separator: "\n")
    let last = lines.count - 1
    let cases: [(name: String, lines: [Substring], reason: String)] = [
      ("uncertified", Array(lines[..<last]), "nobody vouches for the blocks above 3"),
      ("gap", Array(lines[..<2] + lines[3...]), "it does not follow the block before"),
      ("cut", Array(lines[..<last]) + [lines[last].prefix(200)], "the text ends inside a value"),
      ("headless", Array(lines[1...]), "format is missing"), ("empty", [], "the file is empty"),
    ]
    for (name, lines, reason) in cases {
      let path = directory.file(name)
      try Files.create(path, Array(lines.joined(separator: "\n").utf8))
      let (status, output, _) = tool.transcript(
        "ledger", "verify", path, "--genesis", Self.genesis)
      #expect(status == 1, "\(name)")
      #expect(output.contains(reason), "\(name): \(output)")
      #expect(output.hasSuffix("not sound\n"))
    }
  }
}
