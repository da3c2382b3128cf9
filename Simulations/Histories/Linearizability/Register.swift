/// What one key holds during a search: a register with a version, or nothing.
///
/// The version of a write whose answer was never seen is unknown. Then `version` is the least it
/// can be, and `isExact` is false until an operation reveals it. Every write takes a version above
/// the last, so leaving room for one integer per unknown write is all that must be remembered.
struct Register: Hashable {
  /// The value's number, `Register.absent` when there is none.
  var value: Int32 = Register.absent
  /// The place of the version among the key's known versions; -1 when it is none of them.
  var place: Int32 = -1
  /// The version, or the least it can be.
  var version: UInt64 = 0
  /// Whether `version` is the version itself.
  var isExact = true

  static let absent: Int32 = -1
  /// The value of unknown writes that nobody read: they are present, and equal to each other.
  static let unseen: Int32 = -2
}

/// What an operation demands of the register and does to it, as far as its answer tells.
struct RegisterStep: Hashable {
  enum Requirement: Hashable {
    /// An unconditional write: no demand.
    case anything
    case absent
    /// A value, and where they are known, which one and of what version.
    case present(value: Int32?, version: UInt64?)
  }

  enum Effect: Hashable {
    case none
    case write(Int32)
    case remove
  }

  var requirement: Requirement
  var effect: Effect = .none
  /// The version of the effect; `nil` when unknown.
  var version: UInt64?
  /// The place of `version` among the key's known versions; -1 when it is none of them.
  var place: Int32 = -1
  /// The place of the version that is required; -1 when it is none of the known.
  var requiredPlace: Int32 = -1

  /// The version that the register must have, when the step names one.
  var requiredVersion: UInt64? {
    switch requirement {
    case .anything, .absent: nil
    case .present(_, let version): version
    }
  }

  /// The register afterwards, or `nil` when the operation cannot happen to this one.
  func applied(to register: Register) -> Register? {
    guard var next = admitted(by: register) else { return nil }
    let value: Int32
    switch effect {
    case .none: return next
    case .write(let written): value = written
    case .remove: value = Register.absent
    }
    if let version {
      guard version > next.version else { return nil }
      next.version = version
    } else {
      guard next.version < .max else { return nil }
      next.version += 1
    }
    next.value = value
    next.place = place
    next.isExact = version != nil || value == Register.absent
    return next
  }

  /// The register with what the demand reveals of it, or `nil` when the demand is not met.
  private func admitted(by register: Register) -> Register? {
    switch requirement {
    case .anything: return register
    case .absent: return register.value == Register.absent ? register : nil
    case .present(let value, let version):
      guard register.value != Register.absent else { return nil }
      if let value, value != register.value { return nil }
      guard let version else { return register }
      if register.isExact { return version == register.version ? register : nil }
      guard version >= register.version else { return nil }
      var revealed = register
      revealed.version = version
      revealed.place = requiredPlace
      revealed.isExact = true
      return revealed
    }
  }
}
