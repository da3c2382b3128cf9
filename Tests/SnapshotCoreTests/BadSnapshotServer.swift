import Primitives
import SnapshotCore
import Wire

/// A peer that serves snapshots badly, each in a way of its own.
enum BadSnapshotServer: CaseIterable {
  /// Rows that are not those of the state.
  case wrongPart
  /// Another part of the same state.
  case otherPart
  /// A part without its last row.
  case shortPart
  /// Bytes that are no answer.
  case garbage
  /// The answer to another question.
  case otherAnswer
  /// A far higher state, vouched for by nobody.
  case inventedHeight
  /// A state of its own making, signed by keys of its own.
  case forgedManifest
  /// An old but true state, offered as a new one.
  case staleManifest
  /// Says what it has and then nothing.
  case silent
  /// Says what it has and then that it has not.
  case fickle
  /// Ends every stream.
  case breaking

  /// Whether what it does is a lie that can be known for one.
  var isCaught: Bool {
    switch self {
    case .wrongPart, .otherPart, .shortPart, .garbage, .otherAnswer, .inventedHeight,
      .forgedManifest, .staleManifest:
      true
    case .silent, .fickle, .breaking: false
    }
  }

  /// The answer; `nil` for a stream that ends, an empty one for silence.
  func answer(
    _ request: SnapshotRequest, _ state: State, old: State, forged: State,
    _ random: inout Xoshiro256
  ) -> [UInt8]? {
    let manifest = state.manifest
    switch (self, request) {
    case (.garbage, _): return (0..<20).map { _ in UInt8(truncatingIfNeeded: random.next()) | 8 }
    case (.breaking, .manifest), (.breaking, .part): return nil
    case (.silent, .manifest), (.silent, .part): return []
    case (.fickle, .manifest), (.fickle, .part): return SnapshotAnswer.nothing.encoded
    case (.inventedHeight, .offer): return SnapshotAnswer.offer(height: 1 << 40).encoded
    case (.staleManifest, .offer): return SnapshotAnswer.offer(height: manifest.height + 5).encoded
    case (.staleManifest, .manifest): return SnapshotAnswer.manifest(old.manifest.encoded).encoded
    case (.forgedManifest, .offer):
      return SnapshotAnswer.offer(height: forged.manifest.height).encoded
    case (.forgedManifest, .manifest):
      return SnapshotAnswer.manifest(forged.manifest.encoded).encoded
    case (.inventedHeight, .manifest):
      return SnapshotAnswer.manifest(manifest.encoded).encoded
    case (.otherAnswer, .part), (.otherAnswer, .manifest):
      return SnapshotAnswer.offer(height: manifest.height).encoded
    case (.wrongPart, .part(_, let index)):
      var bytes = state.parts[Int(index)]
      bytes[random.next(below: bytes.count)] ^= 1
      return SnapshotAnswer.part(bytes).encoded
    case (.otherPart, .part(_, let index)):
      return SnapshotAnswer.part(state.parts[(Int(index) + 1) % state.parts.count]).encoded
    case (.shortPart, .part(_, let index)):
      let rows = (try? SnapshotRows.decode(state.parts[Int(index)])) ?? []
      return SnapshotAnswer.part(SnapshotRows.encode(Array(rows.dropLast()))).encoded
    case (_, .offer), (_, .manifest), (_, .part):
      return GoodSnapshotServer.answer(request, state)
    }
  }
}

/// A peer that serves what it has.
enum GoodSnapshotServer {
  static func answer(_ request: SnapshotRequest, _ state: State) -> [UInt8] {
    switch request {
    case .offer: return SnapshotAnswer.offer(height: state.manifest.height).encoded
    case .manifest(state.manifest.height):
      return SnapshotAnswer.manifest(state.manifest.encoded).encoded
    case .part(state.manifest.height, let index) where Int(index) < state.parts.count:
      return SnapshotAnswer.part(state.parts[Int(index)]).encoded
    case .manifest, .part: return SnapshotAnswer.nothing.encoded
    }
  }
}
