internal import AgentAPI
internal import CoreKit
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// What a node does about damage while it runs.
extension NodeDriver {
  /// Rescued bundles that are handed on at once.
  private static let rescueCount = 64

  /// Writes down what is damaged and ends serving; the process then begins anew.
  func repair(_ damage: StorageDamage) {
    logger.log(
      .error, "a database is damaged",
      [
        LogField("file", "\(storage.directory)/\(damage.file.name)"),
        LogField("found", damage.findings.joined(separator: "; ")),
      ])
    // Also written down by the restart; here already in case that ending takes its time.
    _ = NodeRepair.note(damage, configuration, logger)
    loop.stop()
  }

  /// Writes down which end of a lane is to leave the log and ends serving; the process then begins
  /// anew with what remains.
  func withdraw(after place: LanePosition) {
    guard fatal == nil, withdrawal == nil else { return }
    logger.log(
      .error, "a node signed two bundles for one place, and the one held here did not become final",
      [LogField("lane", place.lane.digest.hexadecimal), LogField("after", "\(place.number)")])
    do {
      let damage = try RepairBooks(directory: storage.directory).note(withdrawalAfter: place)
      withdrawal = damage
      loop.stop()
    } catch {
      fail("which bundles are to be taken out cannot be written down: \(error)")
    }
  }

  /// How often it is looked at whether peers still have what this node lacks, and how often in a
  /// row they must not have it before that counts.
  private static let reachNanoseconds: UInt64 = 10_000_000_000
  private static let reachLooks = 3

  /// Looks now and then whether peers still have what this node lacks, and has it join again by a
  /// snapshot when they do not.
  func watchReach() {
    _ = loop.schedule(at: loop.now() + NodeDriver.reachNanoseconds) { [weak self] in
      self?.lookForReach()
    }
  }

  private func lookForReach() {
    guard fatal == nil, rejoinNeeded == nil else { return }
    // A node that is cut off from most sees few who could have what it lacks.
    let lanes = isQuorumInReach ? machine.gossip.lanesOutOfReach : []
    looksOutOfReach = lanes.isEmpty ? 0 : looksOutOfReach + 1
    guard looksOutOfReach == NodeDriver.reachLooks, let lane = lanes.first else {
      return watchReach()
    }
    rejoinNeeded = RejoinNeeded(
      "all peers in reach have let go of what this node lacks of \(lanes.count) lanes, lane "
        + "\(lane.digest.short) among them")
    loop.stop()
  }

  /// Has the databases read through now.
  func beginScrub() {
    finality.scrubber.scrubNow()
    storage.scrub { [logger] outcome in
      switch outcome {
      case .sound(let bytes):
        logger.log(.info, "the databases are sound", [LogField("bytes", "\(bytes)")])
      // Told by whoever takes note of it.
      case .damaged, .interrupted: break
      }
    }
  }

  /// Begins to take what a repair found behind damage, as soon as what it builds on is there.
  func beginRescue() {
    do {
      guard let bundles = try RescuedBundles(directory: storage.directory) else { return }
      let count = try bundles.count()
      logger.log(
        .info, "bundles wait for what a repair could not keep", [LogField("bundles", "\(count)")])
      let timer = loop.makeTimer { [unowned self] in takeRescued() }
      rescue = Rescue(bundles: bundles, timer: timer)
      loop.arm(timer, at: loop.now() + Rescue.nanosecondsMin)
    } catch {
      logger.log(
        .error, "rescued bundles cannot be read; peers give them",
        [LogField("reason", "\(error)")])
    }
  }

  /// Gives the verifier what fits now, as if a peer had been asked for it.
  private func takeRescued() {
    guard var rescue else { return }
    do {
      if try rescue.bundles.removeIfEmpty() {
        logger.log(.info, "everything that a repair rescued is held again")
        self.rescue = nil
        return
      }
      // What is on the disk, so that nothing is forgotten that is in memory only.
      var held = Frontier()
      for (lane, head) in durableHeads.entries { held[lane] = head.number }
      let peer = indexes.values.first { peers[Int($0.value)].connection != nil }
      if let peer, !isInputPaused {
        let frames = try rescue.bundles.next(holding: held, limit: NodeDriver.rescueCount)
        if !frames.isEmpty { verifier.submit(.frames(frames, from: peer, .pulled)) }
      }
      loop.arm(rescue.timer, at: loop.now() + rescue.pause(holding: held))
      self.rescue = rescue
    } catch {
      self.rescue = nil
      logger.log(
        .error, "rescued bundles cannot be read; peers give them",
        [LogField("reason", "\(error)")])
    }
  }

  func writeScrubMetrics(into text: inout MetricsText) {
    let scrub = storage.scrubStatistics
    text.family(
      "swarmoracle_scrub_rounds_total", .counter, "Times both databases were read through.")
    text.sample(scrub.rounds)
    text.family(
      "swarmoracle_scrub_interruptions_total", .counter,
      "Rounds that could not read everything, for a reason other than damage.")
    text.sample(scrub.interruptions)
    text.family(
      "swarmoracle_scrub_bytes_total", .counter, "Bytes of databases read through.")
    text.sample(scrub.bytes)
    text.family(
      "swarmoracle_scrub_findings_total", .counter, "Findings of damage in databases.")
    text.sample(scrub.findings)
    text.family(
      "swarmoracle_scrub_round_nanoseconds", .gauge, "How long the last whole round took.")
    text.sample(scrub.lastNanoseconds)
    text.family(
      "swarmoracle_lanes_out_of_reach", .gauge,
      "Lanes of which all peers that are ahead have let go of what comes next here.")
    text.sample(UInt64(machine.gossip.lanesOutOfReach.count))
    text.family("swarmoracle_repairs", .gauge, "Repairs that the node's books name, at most 64.")
    // Books that cannot be read are told at the next start.
    let history = try? RepairBooks(directory: storage.directory).history()
    text.sample(UInt64(history?.count ?? 0))
  }
}

/// What a repair found behind damage, and when it is looked at again.
struct Rescue {
  /// The shortest and the longest pause.
  static let nanosecondsMin: UInt64 = 20_000_000
  private static let nanosecondsMax: UInt64 = 5_000_000_000

  let bundles: RescuedBundles
  let timer: TimerToken
  private var held = Frontier()
  private var nanoseconds = nanosecondsMin

  init(bundles: RescuedBundles, timer: TimerToken) {
    self.bundles = bundles
    self.timer = timer
  }

  /// How long to wait until the next look: longer each time that nothing has moved.
  mutating func pause(holding frontier: Frontier) -> UInt64 {
    nanoseconds =
      frontier == held ? min(nanoseconds * 2, Rescue.nanosecondsMax) : Rescue.nanosecondsMin
    held = frontier
    return nanoseconds
  }
}
