internal import Crypto
internal import Merkle
internal import Primitives
internal import Records
internal import Wire

/// Reads whole tables of `log.db` when it is opened or verified.
enum LogReader {
  /// A lane as its row says it ends.
  struct Lane {
    let index: Int64
    let head: LaneHead
    /// The end of what is not held; `nil` when the lane is held from its beginning.
    let base: LaneHead?

    /// The number of the last bundle that is not held.
    var baseNumber: UInt64 { base?.number ?? 0 }
  }

  /// All lanes in ascending order of name.
  static func lanes(_ connection: SQLiteConnection) throws(OpenFailure) -> [Lane] {
    let statement = try query(
      connection,
      """
      SELECT lane_index, lane, node, epoch, number, last_sequence, last_time, digest, peaks
      FROM lanes ORDER BY lane
      """)
    let bases = try bases(connection)
    var lanes: [Lane] = []
    while try step(statement) {
      let index = statement.integer(0)
      guard let lane = Digest(statement.bytes(1)), let node = Digest(statement.bytes(2)),
        let epoch = Identifier<LaneEpoch>(statement.bytes(3)),
        let digest = Digest(statement.bytes(7))
      else { throw .damage("lane row \(index) holds a name of a wrong length") }
      let number = statement.unsigned(4)
      guard (1...UInt64(Int64.max)).contains(number) else {
        throw .damage("lane \(lane.short) says it has \(number) bundles")
      }
      guard let range = range(statement.bytes(8), count: number) else {
        throw .damage("lane \(lane.short) has peaks that do not fit \(number) bundles")
      }
      func end(_ base: Base) -> LaneHead {
        LaneHead(
          lane: LaneID(digest: lane), node: NodeID(key: node), epoch: epoch,
          number: base.range.count, lastSequence: base.lastSequence, lastTime: base.lastTime,
          digest: base.digest, range: base.range)
      }
      let base = bases.first { $0.index == index }
      if let base, base.range.count > number {
        throw .damage("lane \(lane.short) of \(number) bundles begins after \(base.range.count)")
      }
      let head = Base(
        index: index, lastSequence: statement.unsigned(5),
        lastTime: HybridTime(raw: statement.unsigned(6)), digest: digest, range: range)
      lanes.append(Lane(index: index, head: end(head), base: base.map(end)))
    }
    return lanes
  }

  /// What a row says of one end of a lane.
  private struct Base {
    let index: Int64
    let lastSequence: UInt64
    let lastTime: HybridTime
    let digest: Digest
    let range: MountainRange
  }

  /// The bases of the lanes that have one. There are as many as lanes at most: few.
  private static func bases(_ connection: SQLiteConnection) throws(OpenFailure) -> [Base] {
    let statement = try query(
      connection,
      """
      SELECT lane_index, number, last_sequence, last_time, digest, peaks
      FROM lane_bases ORDER BY lane_index
      """)
    var bases: [Base] = []
    while try step(statement) {
      let index = statement.integer(0)
      let number = statement.unsigned(1)
      guard (1...UInt64(Int64.max)).contains(number), let digest = Digest(statement.bytes(4)),
        let range = range(statement.bytes(5), count: number)
      else { throw .damage("the base of lane row \(index) is none of \(number) bundles") }
      bases.append(
        Base(
          index: index, lastSequence: statement.unsigned(2),
          lastTime: HybridTime(raw: statement.unsigned(3)), digest: digest, range: range))
    }
    return bases
  }

  /// What is kept in memory of every bundle of one lane after its base, in order of number.
  struct Outline {
    /// The timestamp of each bundle's last operation.
    var times: [HybridTime] = []
    /// The first word of each header's digest.
    var marks: [UInt64] = []
  }

  /// The outlines of all lanes by lane row; checks that the numbers have no gap. Reads the bundles
  /// in the order of their rows, which is sequential.
  static func outlines(
    _ connection: SQLiteConnection, lanes: [Lane]
  ) throws(OpenFailure) -> [Int64: Outline] {
    var outlines: [Int64: Outline] = [:]
    var bases: [Int64: UInt64] = [:]
    for lane in lanes {
      outlines[lane.index] = Outline()
      bases[lane.index] = lane.baseNumber
    }
    let statement = try query(
      connection, "SELECT lane_index, number, last_time, mark FROM bundles ORDER BY id")
    while try step(statement) {
      let index = statement.integer(0)
      guard let count = outlines[index]?.times.count, let base = bases[index] else {
        throw .damage("a bundle belongs to the unknown lane row \(index)")
      }
      let last = base + UInt64(count)
      guard statement.unsigned(1) == last + 1 else {
        throw .damage("lane row \(index) has bundle \(statement.unsigned(1)) after \(last)")
      }
      outlines[index]?.times.append(HybridTime(raw: statement.unsigned(2)))
      outlines[index]?.marks.append(statement.unsigned(3))
    }
    for lane in lanes {
      let held = lane.baseNumber + UInt64(outlines[lane.index]?.times.count ?? 0)
      guard held != lane.head.number else { continue }
      throw .damage(
        """
        lane \(lane.head.lane.digest.short) says it has \(lane.head.number) bundles but holds \
        those up to \(held)
        """)
    }
    return outlines
  }

  /// Checks that each lane's row names its last header.
  static func checkHeads(_ connection: SQLiteConnection, lanes: [Lane]) throws(OpenFailure) {
    for lane in lanes {
      if lane.baseNumber == lane.head.number {
        guard lane.base == lane.head else {
          throw .damage("lane \(lane.head.lane.digest.short) does not end with its base")
        }
        continue
      }
      let header = try OpenFailure.wrap { () throws(SQLiteError) in
        try connection.bytes(
          "SELECT header FROM bundles WHERE lane_index = ? AND number = ?",
          [.integer(lane.index), .integer(Int64(bitPattern: lane.head.number))])
      }
      guard let header, Blake2b.hash(header, .bundleHeader) == lane.head.digest else {
        throw .damage("lane \(lane.head.lane.digest.short) does not end with its last header")
      }
    }
  }

  /// All proofs of equivocation.
  static func proofs(_ connection: SQLiteConnection) throws(OpenFailure) -> [EquivocationProof] {
    let statement = try query(
      connection, "SELECT proof, lane, number FROM proofs ORDER BY lane, number")
    var proofs: [EquivocationProof] = []
    while try step(statement) {
      do throws(WireError) {
        guard let proof = try EquivocationProof.decode(statement.bytes(0)) else {
          throw .invalid("proves nothing")
        }
        guard statement.bytes(1) == proof.lane.digest.bytes, statement.unsigned(2) == proof.number
        else { throw .invalid("is that of another place") }
        proofs.append(proof)
      } catch {
        throw .damage("a stored proof cannot be read: \(error)")
      }
    }
    return proofs
  }

  /// A mountain range from the concatenated peaks.
  static func range(_ bytes: [UInt8], count: UInt64) -> MountainRange? {
    guard bytes.count.isMultiple(of: Digest.byteCount) else { return nil }
    let peaks = stride(from: 0, to: bytes.count, by: Digest.byteCount).compactMap {
      Digest(bytes[$0..<($0 + Digest.byteCount)])
    }
    return MountainRange(count: count, peaks: peaks)
  }

  private static func query(
    _ connection: SQLiteConnection, _ sql: String
  ) throws(OpenFailure) -> SQLiteStatement {
    try OpenFailure.wrap { () throws(SQLiteError) in try connection.prepare(sql) }
  }

  private static func step(_ statement: SQLiteStatement) throws(OpenFailure) -> Bool {
    try OpenFailure.wrap { () throws(SQLiteError) in try statement.step() }
  }
}

/// What opening one file ran into, before it is known what that means for the directory.
enum OpenFailure: Error {
  /// The content is not what this program wrote.
  case damage(String)
  /// A newer program wrote it.
  case newer(found: Int64, known: Int64)
  /// SQLite failed.
  case database(SQLiteError)
  /// The operating system failed.
  case system(FileSystem.Failure)

  /// Runs `body`, telling damage from failures of disk and system.
  static func wrap<Result>(
    _ body: () throws(SQLiteError) -> Result
  ) throws(OpenFailure) -> Result {
    do throws(SQLiteError) {
      return try body()
    } catch {
      throw error.isDamage ? .damage(error.message) : .database(error)
    }
  }

  /// Runs `body`.
  static func wrapSystem(_ body: () throws(FileSystem.Failure) -> Void) throws(OpenFailure) {
    do throws(FileSystem.Failure) {
      try body()
    } catch {
      throw .system(error)
    }
  }
}
