internal import Glibc
internal import JSONText

/// Any program as an agent: asked every open question once, its answers sent to the swarm.
///
/// ```
/// GET /v1/questions?status=OPEN ─► question JSON ─► PROGRAM's standard input
///                                                          │ standard output
///      POST /v1/questions/{id}/answers ◄─ completed ◄─ {"value": …}
/// ```
///
/// A program that fails, hangs or writes too much gives no answer to that question; the agent goes
/// on with the others. Questions are remembered while the agent runs; after a restart the node
/// refuses second answers, so nothing is answered twice.
package struct ProgramAgent {
  /// What the agent does besides running its program.
  package struct Settings: Sendable {
    /// The nodes' APIs, tried in turn.
    package var endpoints: [String]
    /// The agent's token.
    package var token: String
    /// The program and its arguments.
    package var program: [String]
    /// What one run may take.
    package var limits = ProgramLimits()
    /// Runs at a time.
    package var concurrency = 1
    /// Milliseconds between two looks for questions.
    package var pollMilliseconds = 1_000
    /// The write level that answers ask for.
    package var consistency = "local"
    /// Only questions of this category, when it is set.
    package var category: String?

    /// Names the nodes, the agent and the program.
    package init(endpoints: [String], token: String, program: [String]) {
      self.endpoints = endpoints
      self.token = token
      self.program = program
    }
  }

  /// What came of one question.
  package enum Event: Sendable {
    /// An answer was accepted.
    case answered(question: String, value: String)
    /// The node took no answer: there is one already, or the question has closed.
    case refused(question: String, reason: String)
    /// The program gave no answer.
    case failed(question: String, ProgramFault)
    /// No node can be reached; the agent goes on trying.
    case unreachable(String)
  }

  /// Questions asked for at a time.
  private static let pageSize = 100
  /// Questions remembered as dealt with; beyond them the oldest are asked again.
  private static let rememberedMax = 100_000

  private let settings: Settings
  private let client: APIClient
  private let report: (Event) -> Void
  private var seen: Set<String> = []
  private var order: [String] = []

  /// Makes an agent; `report` is told of every question.
  package init(_ settings: Settings, report: @escaping (Event) -> Void) {
    self.settings = settings
    self.report = report
    client = APIClient(endpoints: settings.endpoints, token: settings.token)
  }

  /// Answers until `shouldStop` says so, looking for questions in between.
  ///
  /// Ends with an error only when the node refuses the agent's token.
  package mutating func run(until shouldStop: () -> Bool) throws {
    while !shouldStop() {
      do {
        _ = try runOnce(until: shouldStop)
      } catch let refusal as APIRefusal where refusal.status == 401 || refusal.status == 403 {
        throw refusal
      } catch {
        report(.unreachable("\(error)"))
      }
      if shouldStop() { return }
      poll(nil, 0, Int32(settings.pollMilliseconds))
    }
  }

  /// Answers every open question that was not dealt with yet; returns how many were accepted.
  package mutating func runOnce(until shouldStop: () -> Bool = { false }) throws -> Int {
    var accepted = 0
    var cursor: String?
    repeat {
      var path = "/v1/questions?status=OPEN&limit=\(ProgramAgent.pageSize)"
      if let category = settings.category { path += "&category=\(category)" }
      if let cursor { path += "&cursor=\(cursor)" }
      let page = try client.get(path)
      let fresh = (page["questions"]?.array ?? []).filter { question in
        question["id"]?.string.map { !seen.contains($0) } ?? false
      }
      accepted += try answer(fresh)
      cursor = page["next"]?.string
    } while cursor != nil && !shouldStop()
    return accepted
  }

  private mutating func answer(_ questions: [JSONValue]) throws -> Int {
    let identifiers = questions.compactMap { $0["id"]?.string }
    let inputs = questions.map { question in
      var writer = JSONWriter()
      writer.value(question)
      return writer.bytes + [UInt8(ascii: "\n")]
    }
    let pool = ProgramPool(
      program: settings.program, limits: settings.limits, concurrency: settings.concurrency)
    var accepted = 0
    try pool.run(inputs) { index, result in
      let question = identifiers[index]
      do {
        let name = settings.program[0].split(separator: "/").last.map(String.init) ?? "program"
        let answer = try ProgramAnswer(try result.get(), program: name)
        try submit(answer, to: question)
        accepted += 1
        report(.answered(question: question, value: answer.value ?? answer.content))
      } catch let fault as ProgramFault {
        report(.failed(question: question, fault))
      } catch let refusal as APIRefusal where (400..<500).contains(refusal.status) {
        guard refusal.status != 401 && refusal.status != 403 && refusal.status != 429 else {
          throw refusal
        }
        report(.refused(question: question, reason: refusal.detail))
      }
      remember(question)
    }
    return accepted
  }

  private func submit(_ answer: ProgramAnswer, to question: String) throws {
    let path = "/v1/questions/\(question)/answers?consistency=\(settings.consistency)"
    _ = try client.post(path, answer.body)
  }

  private mutating func remember(_ question: String) {
    seen.insert(question)
    order.append(question)
    guard order.count > 2 * ProgramAgent.rememberedMax else { return }
    for old in order.prefix(ProgramAgent.rememberedMax) { seen.remove(old) }
    order.removeFirst(ProgramAgent.rememberedMax)
  }
}
