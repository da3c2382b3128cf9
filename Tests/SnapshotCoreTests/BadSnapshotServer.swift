import Merkle
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
  /// Gives its manifest and then nothing.
  case mute
  /// A manifest under the right root that counts rows which are not there.
  case miscounting
  /// A manifest under the right root that cuts the rows otherwise than everybody does, and is all
  /// that it gives.
  case cuttingOtherwise
  /// Says what it has and then that it has not.
  case fickle
  /// Ends every stream.
  case breaking

  /// Whether what it does is a lie that can be known for one.
  var isCaught: Bool {
    switch self {
    case .garbage, .otherAnswer, .inventedHeight, .forgedManifest, .staleManifest: true
    case .wrongPart, .otherPart, .shortPart, .silent, .mute, .miscounting, .cuttingOtherwise,
      .fickle, .breaking:
      false
    }
  }

  /// A manifest with other parts.
  private static func manifest(
    _ manifest: SnapshotManifest, with parts: [SnapshotManifest.Part]
  ) -> [UInt8] {
    SnapshotManifest(
      block: manifest.block, lanesRoot: manifest.lanesRoot, links: manifest.links,
      certificate: manifest.certificate, epochs: manifest.epochs, parts: parts
    ).encoded
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
    case (.mute, .part), (.cuttingOtherwise, .part): return []
    case (.miscounting, .manifest):
      let parts = manifest.parts.map {
        SnapshotManifest.Part(
          rowCount: $0.rowCount > 1 ? $0.rowCount + 1 : $0.rowCount, hash: $0.hash)
      }
      return SnapshotAnswer.manifest(Self.manifest(manifest, with: parts)).encoded
    case (.cuttingOtherwise, .manifest):
      let pairs = (0..<manifest.parts.count / 2).map { place in
        let pair = Array(manifest.parts[(2 * place)..<(2 * place + 2)])
        return SnapshotManifest.Part(
          rowCount: pair[0].rowCount + pair[1].rowCount,
          hash: TriePart.joined(pair.map(\.triePart)).hash)
      }
      return SnapshotAnswer.manifest(Self.manifest(manifest, with: pairs)).encoded
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
