internal import JSONText

/// A spelling checker in the part of an agent's program: question JSON in, answer JSON out.
///
/// ```
/// {"text": "Which English word …", …} ─► the misspelt word ─► checker ─► its first suggestion
///                          {"value": …, "content": …, "reasoning": …, "confidence": …} ◄─┘
/// ```
package struct SpellingAgent: Sendable {
  /// Why there is no answer.
  package enum Abstention: Error, Hashable, Sendable, CustomStringConvertible {
    /// The input is no question about a misspelling.
    case notAsked(String)
    /// The checker could not be asked.
    case failed(ProgramFault)
    /// The checker takes the word for an English one.
    case accepted(String)
    /// Nothing resembles the word.
    case nothing(String)

    /// A sentence.
    package var description: String {
      switch self {
      case .notAsked(let reason): "this is no question about a misspelling: \(reason)"
      case .failed(let fault): "the checker \(fault)"
      case .accepted(let word): "the checker takes '\(word)' for an English word"
      case .nothing(let word): "the checker knows no word like '\(word)'"
      }
    }
  }

  private let program: SpellingProgram

  /// Makes an agent of a checker.
  package init(_ program: SpellingProgram) {
    self.program = program
  }

  /// Answers a question given as JSON, of which the member `text` is read.
  package func answer(to question: [UInt8]) throws(Abstention) -> [UInt8] {
    let word = try SpellingAgent.word(in: question)
    let reply: SpellingReply
    do {
      reply = try program.ask(word)
    } catch {
      throw .failed(error)
    }
    switch reply {
    case .accepted: throw .accepted(word)
    case .nothing: throw .nothing(word)
    case .suggestions(let suggestions): return answer(suggestions, to: word)
    }
  }

  /// Writes the answer: the first suggestion, and how sure a first of so many can be.
  ///
  /// The confidence is 0.5 + 0.45 / n for n suggestions. Checkers say nothing about how sure they
  /// are; that a lone suggestion is right more often than the first of many is all there is to go
  /// by.
  package func answer(_ suggestions: [String], to word: String) -> [UInt8] {
    precondition(!suggestions.isEmpty, "an answer without a suggestion")
    let best = suggestions[0]
    let count = suggestions.count
    let others = count == 1 ? "and nothing else" : "first of \(count) suggestions"
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("value")
    writer.string(best)
    writer.key("content")
    writer.string("The misspelling ‘\(word)’ means ‘\(best)’.")
    writer.key("reasoning")
    writer.string("\(program.name) does not know ‘\(word)’ and suggests ‘\(best)’, \(others).")
    writer.key("confidence")
    writer.fixedPoint(500_000 + 450_000 / Int64(count), scale: 6)
    writer.endObject()
    return writer.bytes
  }

  private static func word(in question: [UInt8]) throws(Abstention) -> String {
    let json: JSONValue
    do {
      json = try JSONValue.parse(question)
    } catch {
      throw .notAsked("\(error)")
    }
    guard let text = json["text"]?.string else { throw .notAsked("it has no member text") }
    guard let asked = SpellingQuestion(text: text) else {
      throw .notAsked("'\(text.prefix(100))' is not of the form in which misspellings are asked")
    }
    return asked.misspelling
  }
}
