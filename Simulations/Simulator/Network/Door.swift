internal import Crypto
internal import GossipCore
internal import Records
internal import Wire

/// What lets bytes in: decodes within limits and checks signatures, each distinct bundle once.
///
/// Five nodes check the same bundle; its bytes decide the result, so it is remembered by them.
struct Door {
  private var judged: [[UInt8]: Verified<SignedBundle>?] = [:]
  /// Forgetting costs time only.
  private static let judgedMax = 8_192

  /// The sound bundle that the bytes are; `nil` when they are none.
  ///
  /// `keys` plants a bug: with them a bundle is taken from those nodes whoever signed it.
  mutating func bundle(_ bytes: [UInt8], unsignedFrom keys: [SigningKey]) -> Verified<SignedBundle>?
  {
    guard bytes.count <= BundleLimits.bytesMax else { return nil }
    if let known = judged[bytes] { return known }
    let result = Door.judge(bytes, unsignedFrom: keys)
    if judged.count == Door.judgedMax { judged.removeAll(keepingCapacity: true) }
    judged[bytes] = .some(result)
    return result
  }

  private static func judge(
    _ bytes: [UInt8], unsignedFrom keys: [SigningKey]
  ) -> Verified<SignedBundle>? {
    do throws(WireError) {
      let bundle = try SignedBundle(decoding: bytes)
      if let key = keys.first(where: { $0.publicKey == bundle.signer }), bundle.isConsistent {
        return Verified(own: bundle, signedWith: key)
      }
      return Verified(checking: bundle)
    } catch {
      return nil
    }
  }

  /// The message that the bytes are; `nil` when they are none.
  func message(_ bytes: [UInt8]) -> GossipMessage? {
    guard bytes.count <= GossipMessage.bytesMax else { return nil }
    do throws(WireError) {
      return try GossipMessage(decoding: bytes)
    } catch {
      return nil
    }
  }
}
