/// The fixed tables behind canonical answers; they belong to no version of Unicode and never
/// change with the standard library.
enum CharacterTables {
  /// Whether a scalar separates words.
  static func isSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f,
      0x3000:
      true
    // open set: scalars outside the tables
    default: false
    }
  }

  /// Whether a scalar is invisible and dropped: soft hyphen, zero-width space, word joiner, byte
  /// order mark.
  static func isInvisible(_ scalar: UInt32) -> Bool {
    scalar == 0xad || scalar == 0x200b || scalar == 0x2060 || scalar == 0xfeff
  }

  /// The plain form of typographic quotes, dashes and full-width letters.
  static func plain(_ scalar: UInt32) -> UInt32 {
    switch scalar {
    case 0x2018, 0x2019, 0x201a, 0x201b: 0x27
    case 0x201c, 0x201d, 0x201e, 0x201f: 0x22
    case 0x2010...0x2015, 0x2212: 0x2d
    case 0xff01...0xff5e: scalar - 0xff01 + 0x21
    // open set: scalars outside the tables
    default: scalar
    }
  }

  /// The lower-case form: ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic.
  ///
  /// These are the simple foldings (C and S) of Unicode's CaseFolding.txt in those blocks. U+0130
  /// and U+0131, which depend on the language, stay as they are.
  static func folded(_ scalar: UInt32) -> UInt32 {
    switch scalar {
    case 0x41...0x5a: scalar + 32
    case 0xb5: 0x3bc
    case 0xd7: scalar
    case 0xc0...0xde: scalar + 32
    case 0x130, 0x131, 0x138, 0x149: scalar
    case 0x178: 0xff
    case 0x17f: 0x73
    case 0x139...0x148, 0x179...0x17e: scalar & 1 == 1 ? scalar + 1 : scalar
    case 0x100...0x177: scalar | 1
    case 0x386: 0x3ac
    case 0x388...0x38a: scalar + 37
    case 0x38c: 0x3cc
    case 0x38e, 0x38f: scalar + 63
    case 0x3c2: 0x3c3
    case 0x3a2: scalar
    case 0x391...0x3ab: scalar + 32
    case 0x400...0x40f: scalar + 80
    case 0x410...0x42f: scalar + 32
    // open set: scalars outside the tables
    default: scalar
    }
  }

  /// The single scalar of Latin-1 for a lower-case letter and a combining mark after it, if any.
  static func composed(_ base: UInt32, _ mark: UInt32) -> UInt32? {
    let letters: [UInt8]
    let results: [UInt32]
    switch mark {
    case 0x300: (letters, results) = (Array("aeiou".utf8), [0xe0, 0xe8, 0xec, 0xf2, 0xf9])
    case 0x301: (letters, results) = (Array("aeiouy".utf8), [0xe1, 0xe9, 0xed, 0xf3, 0xfa, 0xfd])
    case 0x302: (letters, results) = (Array("aeiou".utf8), [0xe2, 0xea, 0xee, 0xf4, 0xfb])
    case 0x303: (letters, results) = (Array("ano".utf8), [0xe3, 0xf1, 0xf5])
    case 0x308: (letters, results) = (Array("aeiouy".utf8), [0xe4, 0xeb, 0xef, 0xf6, 0xfc, 0xff])
    case 0x30a: (letters, results) = (Array("a".utf8), [0xe5])
    case 0x327: (letters, results) = (Array("c".utf8), [0xe7])
    // open set: scalars outside the tables
    default: return nil
    }
    return letters.firstIndex { UInt32($0) == base }.map { results[$0] }
  }
}
