import CommandLineTool
import JSONText
import Testing

struct IngestBenchTests {
  @Test(arguments: [(1, 1), (500, 50), (990, 99), (999, 100), (1_000, 100)])
  func `a percentile is the nearest rank`(permille: Int, value: UInt32) {
    #expect(IngestFigures.percentile(permille, of: Array(1...100)) == value)
    #expect(IngestFigures.percentile(permille, of: []) == 0)
  }

  @Test func `a median is the middle`() {
    #expect(IngestFigures.median([]) == 0)
    #expect(IngestFigures.median([3]) == 3)
    #expect(IngestFigures.median([9, 1, 4]) == 4)
    #expect(IngestFigures.median([4, 1, 9, 2]) == 3)
  }

  @Test func `the count of a batch is that of its summary`() throws {
    let body =
      #"{"results":[{"index":0,"status":"accepted","operation":"x"}],"accepted":17,"refused":2}"#
    #expect(try IngestClient.accepted(in: Array(body.utf8)) == 17)
    for wrong in ["", "{}", #"{"results":[]}"#, #"{"accepted":}"#] {
      #expect(throws: (any Error).self) { try IngestClient.accepted(in: Array(wrong.utf8)) }
    }
  }

  @Test(arguments: ["node", "a) b (c", "(()"])
  func `processor time is read behind any name of a command`(name: String) {
    let text = "42 (\(name)) S 1 2 3 4 5 6 7 8 9 10 250 130 0 0 20 0 9 0 777 0 0"
    #expect(ProcessorTime.ticks(inStat: text) == 380)
    #expect(ProcessorTime.ticks(inStat: "42 (\(name)) S 1") == nil)
  }

  @Test func `a batch holds the answers of its places and no others`() throws {
    let questions = (10..<20).map { "question-\($0)" }
    let workload = IngestWorkload(questions: questions, bytes: 256)
    for places in [0..<1, 3..<7, 0..<10, 9..<10] {
      let batch = try JSONValue.parse(workload.batchBody(places))
      let answers = try #require(batch["answers"]?.array)
      #expect(answers.map { $0["question"]?.string } == questions[places].map { $0 })
    }
    let single = try JSONValue.parse(workload.singleBody)
    #expect(single["question"] == nil)
    let texts = ["content", "reasoning"].compactMap { single[$0]?.string?.utf8.count }
    #expect(texts.reduce(0, +) == 256)
  }
}
