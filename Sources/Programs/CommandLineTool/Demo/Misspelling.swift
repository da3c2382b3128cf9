internal import Configuration
internal import Primitives

/// A misspelling and the one word that it stands for.
package struct Misspelling: Hashable, Sendable {
  /// The misspelt word.
  package let wrong: String
  /// The word.
  package let right: String

  /// Pairs two words.
  package init(wrong: String, right: String) {
    self.wrong = wrong
    self.right = right
  }
}

/// The misspellings that codespell knows, as far as they have exactly one meaning.
package struct MisspellingDictionary: Sendable {
  /// Where Debian's package codespell puts its dictionary.
  package static let path = "/usr/lib/python3/dist-packages/codespell_lib/data/dictionary.txt"
  /// Debian's package.
  package static let packageName = "codespell"

  /// Bytes of the largest dictionary that is read.
  private static let bytesMax = 64 << 20

  /// The misspellings in the order of the file.
  package let entries: [Misspelling]

  /// Reads a file of lines `wrong->right`.
  package init(reading path: String = path) throws {
    self.init(text: try Files.read(path, limit: MisspellingDictionary.bytesMax))
  }

  /// Reads lines `wrong->right`.
  ///
  /// A line with several words or with a reason has a comma, and is left out as ambiguous, as is
  /// every line with anything but lower-case ASCII letters.
  package init(text: [UInt8]) {
    entries = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let dash = line.firstIndex(of: UInt8(ascii: "-")) else { return nil }
      let (wrong, rest) = (line[..<dash], line[line.index(after: dash)...])
      guard rest.first == UInt8(ascii: ">") else { return nil }
      let right = rest.dropFirst()
      guard MisspellingDictionary.isPlain(wrong), MisspellingDictionary.isPlain(right) else {
        return nil
      }
      return Misspelling(
        wrong: String(decoding: wrong, as: UTF8.self),
        right: String(decoding: right, as: UTF8.self))
    }
  }

  /// Chooses `count` different entries, or all when there are fewer; equal seeds choose alike.
  package func choose(_ count: Int, seed: UInt64) -> [Misspelling] {
    var random = Xoshiro256(seed: seed, purpose: "demo questions")
    var pool = entries
    let count = min(count, pool.count)
    for place in 0..<count {
      pool.swapAt(place, place + random.next(below: pool.count - place))
    }
    return Array(pool.prefix(count))
  }

  private static func isPlain(_ bytes: ArraySlice<UInt8>) -> Bool {
    (1...SpellingQuestion.lettersMax).contains(bytes.count)
      && bytes.allSatisfy { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
  }
}
