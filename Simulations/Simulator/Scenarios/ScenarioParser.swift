internal import Primitives

extension Scenario {
  /// Reads the text form, in which every line is one statement and `#` starts a comment.
  package init(name: String, parsing text: String) throws(ScenarioError) {
    self.init(name: name)
    var line = 0
    for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
      line += 1
      let code = raw.prefix { $0 != "#" }
      let words = code.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard !words.isEmpty else { continue }
      var reader = WordReader(words, line: line)
      try readStatement(&reader)
      try reader.expectEnd()
    }
    try checkSteps()
  }

  private mutating func readStatement(_ reader: inout WordReader) throws(ScenarioError) {
    let word = try reader.next("a statement")
    switch word {
    case "nodes":
      guard steps.isEmpty else {
        throw reader.error("'nodes' must come before every 'at' and 'from'")
      }
      nodeCount = Int(try reader.number("the number of nodes", 1...UInt64(Scenario.nodesMax)))
    case "duration":
      duration = try reader.span("the duration")
      guard duration > .zero, duration <= Scenario.durationMax else {
        throw reader.error("the duration must be more than nothing and at most an hour")
      }
    case "network": try readNetwork(&reader)
    case "distance": try readDistance(&reader)
    case "clients": try readClients(&reader)
    case "commands": try readCommands(&reader)
    case "clock": try readClock(&reader)
    case "disk":
      if reader.take("crash-points") {
        crashPointMillionths = try reader.share("the share of commits with a crash")
      } else {
        try reader.expect("latency")
        diskLatency = try reader.range("the latency")
      }
    case "relays": usesRelays = true
    case "finality":
      try reader.expect("epochs")
      epochLength = try reader.number("the heights of an epoch", 10...1_000_000)
    case "at": try readStep(&reader)
    case "from": try readRepeatedStep(&reader)
    case "chaos": try readChaos(&reader)
    case "expect": try readExpectation(&reader)
    default:
      throw reader.error(
        "'\(word)' is no statement; there are nodes, duration, network, distance, clients, "
          + "commands, clock, disk, relays, finality, at, from, chaos and expect")
    }
  }

  private mutating func readNetwork(_ reader: inout WordReader) throws(ScenarioError) {
    network.isStated = true
    while !reader.isAtEnd {
      let word = try reader.next("a property of the network")
      switch word {
      case "delay": network.delay = try reader.range("the delay")
      case "loss": network.lossMillionths = try reader.share("the loss")
      case "duplicate": network.duplicateMillionths = try reader.share("the duplicates")
      case "datagram-loss":
        network.datagramLossMillionths = try reader.share("the loss of datagrams")
      default:
        throw reader.error(
          "a network has delay, loss, duplicate and datagram-loss, not '\(word)'")
      }
    }
  }

  private mutating func readDistance(_ reader: inout WordReader) throws(ScenarioError) {
    let one = try reader.node(of: nodeCount)
    let other = try reader.node(of: nodeCount)
    guard one != other else { throw reader.error("a node is not away from itself") }
    let delay = try reader.span("the delay between the two")
    network.isStated = true
    network.distances.append((min(one, other), max(one, other), delay))
  }

  private mutating func readExpectation(_ reader: inout WordReader) throws(ScenarioError) {
    let word = try reader.next("what is expected")
    switch word {
    case "converged":
      try reader.expect("within")
      convergence = try reader.span("the time to converge")
    case "commands":
      try reader.expect("within")
      orderedGap = try reader.span("the longest time without a confirmed command")
    case "detection":
      try reader.expect("within")
      detection = try reader.span("the time in which a crash must be known")
    case "at":
      try reader.expect("most")
      leadersMax = Int(try reader.number("the number of leaders", 1...1_000))
      try reader.expect("leaders")
    case "no":
      try reader.expect("false")
      try reader.expect("downs")
      forbidsFalseDown = true
    default:
      throw reader.error(
        "expected are 'converged within', 'commands within', 'detection within', "
          + "'at most N leaders' and 'no false downs', not '\(word)'")
    }
  }

  private mutating func readCommands(_ reader: inout WordReader) throws(ScenarioError) {
    commands.count = Int(try reader.number("the number of clients", 1...1_000))
    while !reader.isAtEnd {
      let word = try reader.next("a property of the clients")
      switch word {
      case "rate": commands.perSecond = try reader.rate()
      case "keys": commands.keys = Int(try reader.number("the number of keys", 1...10_000))
      case "lockers": commands.lockers = Int(try reader.number("who takes locks", 0...100))
      case "watchers": commands.watchers = Int(try reader.number("who watches", 0...100))
      default:
        throw reader.error(
          "clients of commands have rate, keys, lockers and watchers, not '\(word)'")
      }
    }
  }

  private mutating func readClients(_ reader: inout WordReader) throws(ScenarioError) {
    clients.count = Int(try reader.number("the number of clients", 0...1_000))
    while !reader.isAtEnd {
      let word = try reader.next("a property of the clients")
      switch word {
      case "rate": clients.writesPerSecond = try reader.rate()
      case "quorum": clients.quorumMillionths = try reader.share("the quorum writes")
      case "final": clients.finalMillionths = try reader.share("the final writes")
      case "patient": clients.isPatient = true
      default:
        throw reader.error("clients have rate, quorum, final and patient, not '\(word)'")
      }
    }
  }

  private mutating func readClock(_ reader: inout WordReader) throws(ScenarioError) {
    while !reader.isAtEnd {
      let word = try reader.next("a property of the clocks")
      switch word {
      case "skew": clockSkew = try reader.span("the skew")
      case "drift":
        clockDriftMillionths = try reader.number("the drift in millionths", 0...10_000)
      default: throw reader.error("a clock has skew and drift, not '\(word)'")
      }
    }
  }

  private mutating func readChaos(_ reader: inout WordReader) throws(ScenarioError) {
    while !reader.isAtEnd {
      let word = try reader.next("a kind of fault")
      let count = Int(try reader.number("the number of \(word)", 0...1_000))
      switch word {
      case "crashes": chaos.crashes = count
      case "partitions": chaos.partitions = count
      case "cuts": chaos.cuts = count
      case "pauses": chaos.pauses = count
      case "slow-disks": chaos.slowDisks = count
      case "leader-crashes": chaos.leaderCrashes = count
      case "leader-isolations": chaos.leaderIsolations = count
      case "leader-pauses": chaos.leaderPauses = count
      case "transfers": chaos.transfers = count
      case "wipes": chaos.wipes = count
      case "damages": chaos.damages = count
      case "sync-failures": chaos.syncFailures = count
      case "roles": chaos.roles = count
      default:
        throw reader.error(
          "chaos has crashes, partitions, cuts, pauses, slow-disks, leader-crashes, "
            + "leader-isolations, leader-pauses, transfers, wipes, damages, sync-failures and "
            + "roles, not '\(word)'")
      }
    }
  }

  /// Faults must lie within the duration: after it everything is well again.
  private mutating func checkSteps() throws(ScenarioError) {
    if let late = steps.first(where: { $0.at.since(.origin) > duration }) {
      throw ScenarioError(
        0, "a fault at \(late.at.nanoseconds / 1_000_000)ms comes after the duration is over")
    }
    // Stable: of two faults at one time the one that stands first happens first.
    let order = steps.indices.sorted { (steps[$0].at, $0) < (steps[$1].at, $1) }
    steps = order.map { steps[$0] }
  }
}
