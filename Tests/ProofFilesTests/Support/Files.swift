import Foundation
import JSONText
import ProofFiles
import Records
import Testing

/// The files beside the tests, and the verifier in another language.
enum Golden {
  static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Golden")
  private static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../docs/examples").standardizedFileURL

  /// Compares bytes with a file; `UPDATE_GOLDEN=1` writes the file instead.
  static func expect(_ bytes: [UInt8], _ name: String) throws {
    let file = directory.appending(path: name)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(bytes).write(to: file)
    }
    #expect(try Data(contentsOf: file) == Data(bytes), "\(name): UPDATE_GOLDEN=1 writes it anew")
  }

  /// What the verifier in Python says of JSON texts under the fixed genesis: `accepted` or the
  /// refusal, one for each. A list is the lines of an exported ledger.
  static func python(_ texts: [[UInt8]], genesis: [UInt8]) throws -> [String] {
    let program = """
      import functools, json, sys
      sys.path.insert(0, sys.argv[1])
      sys.dont_write_bytecode = True
      import verify_ledger_proof as verifier
      # A signature that held holds again: most alterations leave it as it was.
      verifier.check_signature = functools.lru_cache(None)(verifier.check_signature)
      trust = verifier.trusted(json.loads(sys.stdin.readline()))
      for line in sys.stdin:
          try:
              value = json.loads(line)
              if isinstance(value, list):
                  verifier.check_ledger(map(json.dumps, value), *trust)
                  print("accepted")
                  continue
              is_receipt = value["format"] == "swarmoracle.receipt/1"
              (verifier.check_receipt if is_receipt else verifier.check_proof)(value, *trust)
              print("accepted")
          except Exception as error:
              print(f"{type(error).__name__}: {error}".replace(chr(10), " "))
      """
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "input")
    let output = folder.appending(path: "output")
    let line = genesis.filter { $0 != 0x0A }
    try Data(line + [0x0A] + texts.flatMap { $0 + [0x0A] }).write(to: input)
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program, examples.path]
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// The bytes of a JSON value.
  static func bytes(_ value: JSONValue) -> [UInt8] {
    var writer = JSONWriter()
    writer.value(value)
    return writer.bytes
  }

  /// The bytes of a proof.
  static func bytes(_ proof: LedgerProof) -> [UInt8] {
    var writer = JSONWriter()
    writer.write(proof)
    return writer.bytes
  }

  /// The bytes of a receipt.
  static func bytes(_ file: ReceiptFile) -> [UInt8] {
    var writer = JSONWriter()
    writer.write(file.receipt, proof: file.proof)
    return writer.bytes
  }
}
