import Foundation
import JSONText
import Testing

/// SplitMix64: the tests' own source of numbers, one sequence per seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}

private func randomString(_ random: inout SplitMix) -> String {
  let scalars: [ClosedRange<UInt32>] = [0...0x7F, 0x20...0x7E, 0x80...0x7FF, 0x10000...0x10FFFF]
  var text = String.UnicodeScalarView()
  for _ in 0..<Int.random(in: 0...12, using: &random) {
    let range = scalars[Int.random(in: 0..<scalars.count, using: &random)]
    if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
  }
  return String(text)
}

private func randomValue(depth: Int, _ random: inout SplitMix) -> JSONValue {
  switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
  case 0: return .null
  case 1: return .bool(Bool.random(using: &random))
  case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
  case 3: return .integer(Int64.random(in: -9...9, using: &random))
  case 4: return .string(randomString(&random))
  case 5:
    return .array(
      (0..<Int.random(in: 0...20, using: &random)).map { _ in
        randomValue(depth: depth - 1, &random)
      })
  default:
    return .object(
      (0..<Int.random(in: 0...20, using: &random)).map { index in
        JSONMember(
          key: "\(index)" + randomString(&random), value: randomValue(depth: depth - 1, &random))
      })
  }
}

private func write(_ value: JSONValue) -> [UInt8] {
  var writer = JSONWriter()
  writer.value(value)
  return writer.bytes
}

/// Whether Foundation's reading of a text is the same value; decimals compare as it holds them.
private func agrees(_ value: JSONValue, with oracle: Any) -> Bool {
  switch value {
  case .null: return oracle is NSNull
  case .bool(let truth): return oracle as? Bool == truth
  case .integer(let number): return (oracle as? NSNumber)?.int64Value == number
  case .decimal(let decimal):
    let text = String(decoding: decimal.text, as: UTF8.self)
    // Long fractions arrive as NSDecimalNumber, whose own conversion to a double is inexact.
    if let oracle = oracle as? NSDecimalNumber {
      return oracle.decimalValue == Decimal(string: text)
    }
    return (oracle as? NSNumber)?.doubleValue == Double(text)
  case .string(let text):
    return (oracle as? String).map { $0.utf8.elementsEqual(text.utf8) } ?? false
  case .array(let elements):
    guard let others = oracle as? [Any], others.count == elements.count else { return false }
    return zip(elements, others).allSatisfy { agrees($0, with: $1) }
  case .object(let members):
    guard let others = oracle as? [String: Any] else { return false }
    return members.allSatisfy { member in
      others[member.key].map { agrees(member.value, with: $0) } ?? false
    }
  }
}

private func foundation(_ bytes: [UInt8]) throws -> Any {
  try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
}

struct JSONPropertyTests {
  @Test(arguments: 0..<64 as Range<UInt64>)
  func `what the writer writes, the reader reads back`(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let value = randomValue(depth: 3, &random)
    let bytes = write(value)
    let read = try JSONValue.parse(bytes)
    #expect(read == value)
    #expect(write(read) == bytes)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `Foundation reads the writer's text as the same value`(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let value = randomValue(depth: 3, &random)
    #expect(agrees(value, with: try foundation(write(value))))
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `a damaged text that is accepted means the same to Foundation`(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let bytes = write(randomValue(depth: 2, &random))
    for _ in 0..<200 {
      var damaged = bytes
      let index = Int.random(in: 0..<damaged.count, using: &random)
      damaged[index] = Array("\"\\{}[]:,0 1aeu-.".utf8).randomElement(using: &random) ?? 0
      // A number beyond a double's range is valid JSON, but Foundation cannot hold it.
      guard let value = try? JSONValue.parse(damaged), !damaged.contains(UInt8(ascii: "e")) else {
        continue
      }
      #expect(agrees(value, with: try foundation(damaged)))
    }
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `every proper prefix of a container is refused`(seed: UInt64) {
    var random = SplitMix(state: seed)
    let bytes = write(.array([randomValue(depth: 2, &random)]))
    for count in 0..<bytes.count {
      #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes[..<count])) }
    }
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `fixed-point numbers survive writing and reading`(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let number = Int64.random(in: .min ... .max, using: &random)
    let scale = Int.random(in: 0...18, using: &random)
    var writer = JSONWriter()
    writer.fixedPoint(number, scale: scale)
    #expect(try JSONValue.parse(writer.bytes).fixedPoint(scale: scale) == number)
  }
}
