internal import Crypto
internal import GossipCore
internal import Records
internal import Wire

/// What lets bytes in: decodes within limits and checks signatures, each distinct bundle once.
///
/// Five nodes check the same bundle; its bytes decide the result, so it is remembered by them.
struct Door {
  /// The bytes of a frame. Their hash is of a few words, since those who forge do not aim at it;
  /// two frames are equal when all of their bytes are.
  private struct Frame: Hashable {
    let bytes: [UInt8]

    static func == (left: Frame, right: Frame) -> Bool { left.bytes == right.bytes }

    func hash(into hasher: inout Hasher) {
      hasher.combine(bytes.count)
      guard bytes.count >= 32 else { return }
      bytes.withUnsafeBytes { buffer in
        for quarter in 1...3 {
          let offset = (buffer.count - 8) / 4 * quarter
          hasher.combine(buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
      }
    }
  }

  private var judged: [Frame: Verified<SignedBundle>?] = [:]
  /// Forgetting costs time only.
  private static let judgedMax = 8_192

  /// The sound bundle that the bytes are; `nil` when they are none.
  ///
  /// `keys` plants a bug: with them a bundle is taken from those nodes whoever signed it.
  mutating func bundle(_ bytes: [UInt8], unsignedFrom keys: [SigningKey]) -> Verified<SignedBundle>?
  {
    guard bytes.count <= BundleLimits.bytesMax else { return nil }
    if let known = judged[Frame(bytes: bytes)] { return known }
    let result = Door.judge(bytes, unsignedFrom: keys)
    keep(result, of: bytes)
    return result
  }

  /// Remembers a bundle that `key` has just signed as sound if it reads back from its bytes and its
  /// parts agree: then only the signature itself goes unchecked.
  mutating func vouch(for bundle: SignedBundle, signedWith key: SigningKey) {
    let bytes = bundle.encoded
    guard bytes.count <= BundleLimits.bytesMax, bundle.isConsistent,
      let read = try? SignedBundle(decoding: bytes), read == bundle,
      read.signer == key.publicKey
    else { return }
    keep(Verified(own: read, signedWith: key), of: bytes)
  }

  private mutating func keep(_ result: Verified<SignedBundle>?, of bytes: [UInt8]) {
    if judged.count == Door.judgedMax { judged.removeAll(keepingCapacity: true) }
    judged[Frame(bytes: bytes)] = .some(result)
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
