import CommandLineTool
import Primitives
import Testing

@Suite struct `Arguments of the verbs that disturb` {
  @Test func `groups are numbers with commas and slashes`() throws {
    #expect(try ClusterFaultVerbs.groups("1,2/3,4,5", count: 5) == [[0, 1], [2, 3, 4]])
    #expect(try ClusterFaultVerbs.groups("5/1/2", count: 5) == [[4], [0], [1]])
    for text in ["", "1,2", "1/", "1,,2/3", "0/1", "1/6", "1,2/2", "a/b"] {
      #expect(throws: UsageError.self, "\(text)") {
        try ClusterFaultVerbs.groups(text, count: 5)
      }
    }
  }

  @Test func `times and shares have units`() throws {
    #expect(try ClusterFaultVerbs.span("50ms", "--delay") == .milliseconds(50))
    #expect(try ClusterFaultVerbs.span("5s", "--for") == .seconds(5))
    #expect(try ClusterFaultVerbs.span("200us", "--delay") == .microseconds(200))
    for text in ["", "5", "ms", "-1s", "1h", "3601s", "99999999999999999999s", "1.5s"] {
      #expect(throws: UsageError.self, "\(text)") { try ClusterFaultVerbs.span(text, "--for") }
    }
    #expect(try ClusterFaultVerbs.share("5%", "--loss") == 50_000)
    #expect(try ClusterFaultVerbs.share("100%", "--loss") == 1_000_000)
    for text in ["", "5", "101%", "-1%", "x%", "%"] {
      #expect(throws: UsageError.self, "\(text)") { try ClusterFaultVerbs.share(text, "--loss") }
    }
  }

  @Test func `numbers of clients are a list`() throws {
    #expect(try KVSettings.clientCounts("1,16,64") == [1, 16, 64])
    for text in ["", "0", "1,,2", "5000", String(repeating: "1,", count: 16) + "1"] {
      #expect(throws: UsageError.self, "\(text)") { try KVSettings.clientCounts(text) }
    }
  }

  @Test(arguments: [
    ["cluster", "slow", "2"], ["cluster", "partition"], ["cluster", "pause", "0"],
    ["cluster", "pause", "1", "--for", "x"], ["drill"], ["bench", "kv", "--clients", "x"],
  ]) func `are refused as a wrong command line`(words: [String]) {
    let transcript = Transcript()
    #expect(Tool.standard { _ in 0 }.run(words, console: transcript.console()) == 64)
  }
}
