import CommandLineTool
import Configuration
import Glibc
import JSONText
import Testing

@Suite struct `The tool` {
  private let tool = Tool.standard { _ in 0 }

  @Test func `explains itself without arguments`() throws {
    let (status, output, errors) = tool.transcript()
    #expect(status == 0)
    #expect(errors.isEmpty)
    try expectGolden(output, "overview.txt")
    #expect(tool.transcript("--help").output == output)
    #expect(tool.transcript("help").output == output)
  }

  @Test func `explains every command`() throws {
    var pages = ""
    for verb in tool.verbs {
      let words = verb.name.split(separator: " ").map(String.init)
      let transcript = Transcript()
      #expect(tool.run(words + ["--help"], console: transcript.console()) == 0)
      pages += "\(String(repeating: "=", count: 78))\n\(transcript.output)"
      let short = Transcript()
      #expect(tool.run(words + ["-h"], console: short.console()) == 0)
      #expect(short.output == transcript.output)
      #expect(!verb.examples.isEmpty, "\(verb.name) has no example")
      let prose = transcript.output.split(separator: "\n").filter { !$0.hasPrefix("  swarmoracle") }
      #expect(prose.allSatisfy { $0.count <= 110 }, "\(verb.name) has long lines")
    }
    try expectGolden(pages, "commands.txt")
  }

  @Test func `has examples that its own parser takes`() throws {
    for verb in tool.verbs {
      for example in verb.examples {
        let words = example.arguments.prefix { $0 != ">" && $0 != "|" && $0 != "<" }
        var arguments = Self.words(String(words))
        let name = verb.name.split(separator: " ").map(String.init)
        #expect(Array(arguments.prefix(name.count)) == name, "\(example.arguments)")
        arguments.removeFirst(name.count)
        #expect(throws: Never.self, "\(example.arguments)") {
          try ArgumentList(
            arguments, options: verb.options, positionalMax: verb.positionalMax,
            remainder: verb.remainder)
        }
      }
    }
  }

  /// Splits a line as a shell does, as far as single quotes go.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    for (index, part) in line.split(separator: "'", omittingEmptySubsequences: false).enumerated() {
      if index.isMultiple(of: 2) {
        words += part.split(separator: " ").map(String.init)
      } else {
        words.append(String(part))
      }
    }
    return words
  }

  @Test(arguments: [
    (["frobnicate"], "swarmoracle: unknown command 'frobnicate'\n"),
    (["cluser", "up"], "unknown command 'cluser' (did you mean cluster?)"),
    (["cluster", "pu"], "unknown command 'cluster pu' (did you mean cluster up?)"),
    (
      ["cluster", "up", "--detahc"], "cluster up: unknown option --detahc (did you mean --detach?)"
    ),
    (["cluster", "up", "0"], "N is '0': expected a whole number from 1 to 64"),
    (["cluster", "kill"], "the node's number I is missing"),
    (["cluster", "up", "--base-port", "70000"], "--base-port is '70000'"),
    (["version", "extra"], "unexpected argument 'extra'"),
    (["completion", "tcsh"], "no script for 'tcsh': expected bash, zsh, fish"),
    (
      ["node", "init", "--dir", "/nonexistent/x", "--listen", "here"],
      "--listen is 'here': expected"
    ),
  ])
  func `refuses what it does not understand with status 64`(
    arguments: [String], expected: String
  ) {
    let transcript = Transcript()
    #expect(tool.run(arguments, console: transcript.console()) == 64)
    #expect(transcript.errors.contains(expected), "\(transcript.errors)")
    #expect(transcript.errors.contains("try: swarmoracle"))
    #expect(transcript.output.isEmpty)
  }

  @Test func `lists the commands of a family`() {
    let output = tool.transcript("cluster").output
    #expect(output.contains("cluster up") && !output.contains("node start"))
    #expect(tool.transcript("cluster", "--help").output == output)
    #expect(tool.transcript("help", "cluster").output == output)
    #expect(tool.transcript("help", "cluster", "up").output.contains("--base-port"))
  }

  @Test func `prints its version`() {
    #expect(tool.transcript("version").output == "swarmoracle \(Tool.version)\n")
    #expect(tool.transcript("--version").output == "swarmoracle \(Tool.version)\n")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completes every command in every shell`(shell: String) {
    let script = tool.transcript("completion", shell).output
    for verb in tool.verbs {
      for word in verb.name.split(separator: " ") { #expect(script.contains(word)) }
      for option in verb.options { #expect(script.contains(option.name)) }
    }
  }

  @Test func `has a bash script that completes`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("completion")
    try Files.create(path, Array(tool.transcript("completion", "bash").output.utf8))
    let test = """
      source \(path)
      complete_at() {
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _swarmoracle; echo "${COMPREPLY[@]}"
      }
      complete_at swarmoracle clu
      complete_at swarmoracle cluster st
      complete_at swarmoracle cluster up --d
      complete_at swarmoracle verify --t
      """
    let pool = ProgramPool(program: ["bash", "-c", test], limits: .init(), concurrency: 1)
    pool.run([[]]) { _, result in
      let output = try? String(decoding: result.get(), as: UTF8.self)
      #expect(output == "cluster\nstatus stop start\n--dir --detach\n--threads\n")
    }
  }
}

@Suite struct `Tables` {
  @Test func `are as wide as their widest cells`() {
    var table = Table([("N", .right), ("NAME", .left), ("END", .left)])
    table.append(["1", "a", "x"])
    table.append(["100", "longer", "y"])
    let text = table.text(Transcript().console())
    #expect(text == "  N  NAME    END\n  1  a       x\n100  longer  y\n")
  }

  @Test func `carry colours only when they are wanted, and keep their columns`() {
    var table = Table([("A", .left), ("B", .left)])
    table.append([.init("up", .green), "x"])
    #expect(
      table.text(Transcript().console(isColored: true))
        == "\u{1B}[1mA\u{1B}[0m   \u{1B}[1mB\u{1B}[0m\n\u{1B}[32mup\u{1B}[0m  x\n")
    #expect(table.text(Transcript().console(isColored: true).withoutColor) == "A   B\nup  x\n")
  }
}
