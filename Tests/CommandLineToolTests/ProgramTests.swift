import CommandLineTool
import Configuration
import Glibc
import JSONText
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Programs` {
  private func run(
    _ script: String, input: String = "", timeoutMilliseconds: Int = 60_000,
    outputBytesMax: Int = 1_000_000
  ) -> Result<[UInt8], ProgramFault> {
    var limits = ProgramLimits()
    limits.timeoutMilliseconds = timeoutMilliseconds
    limits.outputBytesMax = outputBytesMax
    limits.showsErrors = false
    let pool = ProgramPool(program: ["/bin/sh", "-c", script], limits: limits, concurrency: 1)
    var result = Result<[UInt8], ProgramFault>.failure(.malformed("no result"))
    pool.run([Array(input.utf8)]) { _, outcome in result = outcome }
    return result
  }

  @Test func `read their input and give their output`() {
    #expect(run("cat", input: "hello") == .success(Array("hello".utf8)))
    #expect(run("exit 0") == .success([]))
  }

  @Test func `may write much before they read, and read much before they write`() {
    let big = String(repeating: "x", count: 500_000)
    #expect(
      run("head -c 400000 /dev/zero | tr '\\0' y; cat >/dev/null", input: big)
        == .success([UInt8](repeating: UInt8(ascii: "y"), count: 400_000)))
    #expect(run("cat", input: big) == .success(Array(big.utf8)))
  }

  @Test func `need not read their input`() {
    let big = String(repeating: "x", count: 500_000)
    #expect(run("echo done", input: big) == .success(Array("done\n".utf8)))
  }

  @Test func `fail with their status or signal`() {
    #expect(run("echo text; exit 3") == .failure(.exited(status: 3)))
    #expect(run("kill -9 $$") == .failure(.signalled(9)))
    #expect(run("exit 255") == .failure(.exited(status: 255)))
  }

  @Test func `are killed with all they started when time is up`() throws {
    let directory = try TemporaryDirectory()
    let pid = directory.file("pid")
    // The grandchild holds the output open; the end of the pipe proves that it is gone too.
    let script = "sleep 1000 & echo $! > \(pid); echo started; wait"
    #expect(run(script, timeoutMilliseconds: 300) == .failure(.timedOut(milliseconds: 300)))
    let text = String(decoding: try Files.read(pid), as: UTF8.self)
    let number = try #require(pid_t(text.dropLast()))
    if let identity = ProcessIdentity(current: number) {
      #expect(identity.waitForEnd(milliseconds: 60_000))
    }
  }

  @Test func `are killed when they close their output and stay`() {
    #expect(
      run("exec >&-; sleep 1000", timeoutMilliseconds: 200)
        == .failure(.timedOut(milliseconds: 200)))
  }

  @Test func `are killed when they write too much`() {
    #expect(
      run("cat /dev/zero", outputBytesMax: 100_000)
        == .failure(.tooMuchOutput(bytesMax: 100_000)))
    #expect(run("printf 12345", outputBytesMax: 5) == .success(Array("12345".utf8)))
  }

  @Test func `that do not exist are named`() {
    let pool = ProgramPool(program: ["/nonexistent/program"], limits: .init(), concurrency: 1)
    pool.run([[]]) { _, result in
      #expect(
        result
          == .failure(.notStarted("start /nonexistent/program: No such file or directory")))
    }
  }

  @Test func `run side by side and each gets its own input`() throws {
    // Each waits for the others in a fifo, which only works when all run at once.
    let directory = try TemporaryDirectory()
    let script = """
      read name; touch \(directory.path)/$name
      while [ $(ls \(directory.path) | wc -l) -lt 4 ]; do :; done; echo $name
      """
    let pool = ProgramPool(program: ["/bin/sh", "-c", script], limits: .init(), concurrency: 4)
    var outputs: [Int: String] = [:]
    pool.run((0..<4).map { Array("n\($0)\n".utf8) }) { index, result in
      outputs[index] = (try? result.get()).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(outputs == [0: "n0\n", 1: "n1\n", 2: "n2\n", 3: "n3\n"])
  }

  @Test func `leave no descriptors behind`() throws {
    let before = openDescriptors()
    for _ in 0..<20 { _ = run("cat", input: "x") }
    _ = run("sleep 1000", timeoutMilliseconds: 10)
    _ = run("cat /dev/zero", outputBytesMax: 10)
    // Other tests open and close descriptors at the same time.
    #expect(openDescriptors() < before + 20)
  }

  private func openDescriptors() -> Int {
    (0..<1_024).filter { fcntl(Int32($0), F_GETFD) >= 0 }.count
  }
}

@Suite struct `Answers of programs` {
  private func answer(_ text: String) throws(ProgramFault) -> ProgramAnswer {
    try ProgramAnswer(Array(text.utf8), program: "oracle")
  }

  private func refusal(_ text: String) -> String {
    do {
      _ = try answer(text)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func `are completed when only the value is given`() throws {
    let answer = try answer(#"{"value": "42"}"#)
    #expect(
      String(decoding: answer.body, as: UTF8.self)
        == #"{"value":"42","content":"The answer is 42.","#
        + #""reasoning":"oracle gave this answer and no reasons for it.","confidence":0.5}"#)
  }

  @Test func `are passed on as they are when complete`() throws {
    let text =
      #"{"value":"a","content":"The content here","reasoning":"Twenty characters or more","#
      + #""confidence":0.8333333333333334}"#
    #expect(String(decoding: try answer(text).body, as: UTF8.self) == text)
  }

  @Test func `take a short content as the value`() throws {
    let answer = try answer(#"{"content": "yes", "reasoning": "because"}"#)
    #expect(answer.value == "yes")
    #expect(answer.content == "The answer is yes.")
    #expect(answer.reasoning.count >= 20)
  }

  @Test func `keep a long content without a value`() throws {
    let answer = try answer(#"{"content": "a sentence of its own", "value": null}"#)
    #expect(answer.value == nil)
    #expect(answer.content == "a sentence of its own")
  }

  @Test(arguments: [
    ("", "the text ends inside a value"), ("42", "expected a JSON object"),
    ("garbage", "unexpected byte"), ("{}", "neither value nor content"),
    (#"{"value": 42}"#, "value is no text"), (#"{"value": " "}"#, "value is no text"),
    (#"{"vlaue": "x"}"#, "unknown member 'vlaue'"),
    (#"{"value": "x", "confidence": "high"}"#, "confidence is no number"),
    (#"{"value": "x"} trailing"#, "bytes follow the value"),
  ])
  func `are refused when they are none`(text: String, expected: String) {
    #expect(refusal(text).contains(expected), "\(refusal(text))")
  }
}
