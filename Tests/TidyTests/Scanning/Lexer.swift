/// Splits Swift or C text into tokens.
///
/// Knows comments (nested in Swift), string literals of every form with their interpolations,
/// raw identifiers and extended regex literals. Bare `/regex/` literals are read as punctuation:
/// one that contains a quote ends as `isComplete == false`, which a check refuses.
struct Lexer {
  /// The languages it reads.
  enum Language {
    case swift
    case c
  }

  private let language: Language
  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private(set) var tokens: [Token] = []
  /// False when a literal or comment never ended, or parentheses did not match inside a string.
  private(set) var isComplete = true

  init(_ text: String, language: Language) {
    self.language = language
    bytes = Array(text.utf8)
    scanCode(untilClosingParenthesis: false)
  }

  private func byte(_ offset: Int = 0) -> UInt8 {
    index + offset < bytes.count ? bytes[index + offset] : 0
  }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count where index < bytes.count {
      if bytes[index] == Ascii.newline { line += 1 }
      index += 1
    }
  }

  private mutating func append(_ kind: Token.Kind, from start: Int, line startLine: Int) {
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    tokens.append(Token(kind: kind, text: text, line: startLine, endLine: line))
  }

  private mutating func scanCode(untilClosingParenthesis isNested: Bool) {
    var depth = 0
    while index < bytes.count {
      let current = byte()
      if current == Ascii.closingParenthesis && isNested && depth == 0 {
        advance()
        return
      }
      if current == Ascii.openingParenthesis { depth += 1 }
      if current == Ascii.closingParenthesis { depth -= 1 }
      scanToken(startingWith: current)
    }
    if isNested { isComplete = false }
  }

  private mutating func scanToken(startingWith current: UInt8) {
    if Ascii.isSpace(current) {
      advance()
    } else if Ascii.isWordStart(current) {
      scanWhile(.word, Ascii.isWordPart)
    } else if Ascii.isDigit(current) {
      scanWhile(.number, Ascii.isWordPart)
    } else if current == Ascii.slash && byte(1) == Ascii.slash {
      scanLineComment()
    } else if current == Ascii.slash && byte(1) == Ascii.star {
      scanBlockComment()
    } else if current == Ascii.quote {
      scanString(hashes: 0)
    } else if language == .c && current == Ascii.apostrophe {
      scanCharacter()
    } else if language == .swift && current == Ascii.backtick {
      scanRawIdentifier()
    } else if language == .swift && current == Ascii.hash {
      scanHash()
    } else {
      scanPunctuation()
    }
  }

  private mutating func scanPunctuation() {
    let start = index
    advance()
    append(.punctuation, from: start, line: line)
  }

  private mutating func scanWhile(_ kind: Token.Kind, _ belongs: (UInt8) -> Bool) {
    let start = index
    while index < bytes.count && belongs(bytes[index]) { index += 1 }
    append(kind, from: start, line: line)
  }

  private mutating func scanRawIdentifier() {
    let start = index
    advance()
    while index < bytes.count && byte() != Ascii.backtick && byte() != Ascii.newline { advance() }
    if byte() != Ascii.backtick { isComplete = false }
    advance()
    append(.word, from: start, line: line)
  }

  private mutating func scanLineComment() {
    let start = index
    while index < bytes.count && byte() != Ascii.newline { index += 1 }
    let isDocumentation =
      index - start >= 3 && bytes[start + 2] == Ascii.slash
      && (index - start == 3 || bytes[start + 3] != Ascii.slash)
    append(isDocumentation ? .documentation : .comment, from: start, line: line)
  }

  private mutating func scanBlockComment() {
    let (start, startLine) = (index, line)
    let isDocumentation = byte(2) == Ascii.star && byte(3) != Ascii.slash
    var depth = 0
    repeat {
      if byte() == Ascii.slash && byte(1) == Ascii.star && (depth == 0 || language == .swift) {
        depth += 1
        advance(2)
      } else if byte() == Ascii.star && byte(1) == Ascii.slash {
        depth -= 1
        advance(2)
      } else {
        advance()
      }
    } while depth > 0 && index < bytes.count
    if depth > 0 { isComplete = false }
    append(isDocumentation ? .documentation : .comment, from: start, line: startLine)
  }

  /// Reads what starts with `#`: a raw string, an extended regex, or a directive's sign.
  private mutating func scanHash() {
    var hashes = 0
    while byte(hashes) == Ascii.hash { hashes += 1 }
    if byte(hashes) == Ascii.quote {
      advance(hashes)
      scanString(hashes: hashes)
    } else if byte(hashes) == Ascii.slash {
      scanExtendedRegex(hashes: hashes)
    } else {
      scanPunctuation()
    }
  }

  private mutating func scanExtendedRegex(hashes: Int) {
    let (start, startLine) = (index, line)
    advance(hashes + 1)
    while index < bytes.count && !(byte() == Ascii.slash && isFollowedByHashes(hashes, at: 1)) {
      advance()
    }
    if index >= bytes.count { isComplete = false }
    advance(hashes + 1)
    append(.string, from: start, line: startLine)
  }

  private func isFollowedByHashes(_ hashes: Int, at offset: Int) -> Bool {
    for step in 0..<hashes where byte(offset + step) != Ascii.hash { return false }
    return true
  }

  private mutating func scanCharacter() {
    let start = index
    advance()
    while index < bytes.count && byte() != Ascii.apostrophe && byte() != Ascii.newline {
      advance(byte() == Ascii.backslash ? 2 : 1)
    }
    if byte() != Ascii.apostrophe { isComplete = false }
    advance()
    append(.string, from: start, line: line)
  }

  private mutating func scanString(hashes: Int) {
    let startLine = line
    let isMultiline =
      language == .swift && byte(1) == Ascii.quote && byte(2) == Ascii.quote
    let quotes = isMultiline ? 3 : 1
    advance(quotes)
    let position = tokens.count
    tokens.append(Token(kind: .string, text: "", line: startLine, endLine: startLine))
    var content: [UInt8] = []
    while index < bytes.count && !isStringEnd(quotes: quotes, hashes: hashes) {
      if byte() == Ascii.newline && !isMultiline { break }
      if byte() == Ascii.backslash && isFollowedByHashes(hashes, at: 1) {
        scanEscape(hashes: hashes, into: &content)
      } else {
        content.append(byte())
        advance()
      }
    }
    if isStringEnd(quotes: quotes, hashes: hashes) {
      advance(quotes + hashes)
    } else {
      isComplete = false
    }
    tokens[position].text = String(decoding: content, as: UTF8.self)
    tokens[position].endLine = line
  }

  private mutating func scanEscape(hashes: Int, into content: inout [UInt8]) {
    advance(1 + hashes)
    if language == .swift && byte() == Ascii.openingParenthesis {
      advance()
      scanCode(untilClosingParenthesis: true)
      content.append(0)
    } else {
      content.append(byte())
      advance()
    }
  }

  private func isStringEnd(quotes: Int, hashes: Int) -> Bool {
    for step in 0..<quotes where byte(step) != Ascii.quote { return false }
    return isFollowedByHashes(hashes, at: quotes)
  }
}
