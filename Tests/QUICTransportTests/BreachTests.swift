#if DEBUG
  // Breaks in: a transport offers no way to break its own rules, so these tests reach into one to
  // make it misbehave, which only a debug build allows.
  @testable import QUICTransport
  import Reactor
  import Testing

  @Suite struct BreachTests {
    /// What a misbehaving peer can do.
    enum Breach: CaseIterable {
      case emptyFrame
      case frameTooLong
      case unknownKindOfRequest
      case consensusFrameTooLong
      case requestOfTwoFrames
      case requestCutShort
      case requestOfNothing
      case controlEnded
      case controlReset
      case bundlesCutShort

      var expected: ApplicationError {
        switch self {
        case .emptyFrame, .frameTooLong, .requestOfTwoFrames, .requestCutShort, .requestOfNothing,
          .bundlesCutShort, .consensusFrameTooLong:
          .malformedFrame
        case .unknownKindOfRequest, .controlEnded, .controlReset: .unknownStream
        }
      }
    }

    @Test(arguments: Breach.allCases)
    func `a breach closes the connection, is named and is counted`(breach: Breach) throws {
      let world = try World()
      let (bad, good) = (try world.node(1), try world.node(2))
      try world.connect(bad, to: good)
      let id = try #require(bad.connection(to: good))
      let connection = try #require(bad.transport.connections[id])
      // The channels are known to the other side before they are misused.
      _ = bad.transport.send(frame: [1], on: .control, to: id)
      _ = bad.transport.send(frame: [1], on: .bundles, to: id)
      _ = bad.transport.send(frame: [1], on: .consensus, to: id)
      try world.run("the channels work") {
        good.control.count + good.bundles.count + good.consensus.count == 3
      }
      try commit(breach, on: connection, of: bad.transport)
      try world.run("both sides hear of the end") {
        bad.disconnected.count == 1 && good.disconnected.count == 1
      }
      guard case .malformed = good.disconnected[0].reason else {
        Issue.record("the good node gave \(good.disconnected[0].reason)")
        return
      }
      let expected = breach.expected.rawValue
      guard case .closedByPeer(expected, _) = bad.disconnected[0].reason else {
        Issue.record("the bad node heard \(bad.disconnected[0].reason)")
        return
      }
      #expect(good.counters.malformedFrames == 1)
      #expect(good.requests.isEmpty)
    }

    @Test(arguments: [0, 1, 2, 3, 5, 255] as [UInt8])
    func `a channel of an unknown kind or a second of one is refused`(kind: UInt8) throws {
      let world = try World()
      let (bad, good) = (try world.node(1), try world.node(2))
      bad.onConnected = { [unowned bad] id in
        // The stream's first byte has not been sent yet.
        guard let consensus = bad.transport.connections[id]?.consensusOut else { return }
        consensus.outgoing = SendBuffer()
        consensus.append(bytes: [kind])
      }
      bad.transport.connect(to: good.address, expecting: good.key)
      try world.run("both sides hear of the end") {
        bad.disconnected.count == 1 && good.disconnected.count == 1
      }
      #expect(good.disconnected[0].reason == .malformed("a one-way stream of kind \(kind)"))
      guard
        case .closedByPeer(ApplicationError.unknownStream.rawValue, _) = bad.disconnected[0].reason
      else {
        Issue.record("the bad node heard \(bad.disconnected[0].reason)")
        return
      }
      #expect(good.counters.malformedFrames == 1)
    }

    private func commit(
      _ breach: Breach, on connection: Connection, of transport: QUICTransport
    ) throws {
      let control = try #require(connection.controlOut)
      let bundles = try #require(connection.bundlesOut)
      let consensus = try #require(connection.consensusOut)
      switch breach {
      case .emptyFrame: control.append(bytes: [0, 0, 0, 0])
      case .frameTooLong: bundles.append(bytes: [0xff, 0xff, 0xff, 0xff])
      case .consensusFrameTooLong: consensus.append(bytes: [1, 0, 16, 0])
      case .unknownKindOfRequest: try open([9], on: connection, of: transport)
      case .requestOfTwoFrames:
        try open([3, 1, 0, 0, 0, 7, 1, 0, 0, 0, 7], on: connection, of: transport)
      case .requestCutShort: try open([3, 5, 0, 0, 0, 7], on: connection, of: transport)
      case .requestOfNothing: try open([3], on: connection, of: transport)
      case .controlEnded: control.finishing = true
      case .controlReset: connection.abandoned.append((control.id, .closed))
      case .bundlesCutShort:
        bundles.append(bytes: [9, 0, 0, 0, 1])
        bundles.finishing = true
      }
      transport.markDirty(connection)
    }

    private func open(
      _ bytes: [UInt8], on connection: Connection, of transport: QUICTransport
    ) throws {
      guard case .sent(let request) = transport.request([1], to: connection.id) else { return }
      let stream = Stream(id: request.stream, kind: .requestOut)
      stream.append(bytes: bytes)
      stream.finishing = true
      connection.streams[request.stream] = stream
      connection.requestRotation = [stream]
    }
  }

  @Suite struct FrameAssemblerTests {
    @Test(arguments: 1...9)
    func `frames are found however the bytes are cut`(step: Int) throws {
      let longest = [UInt8](repeating: 1, count: 40)
      let frames: [[UInt8]] = [[1], [2, 3, 4, 5, 6, 7, 8], [9, 10], longest]
      let wire = Array(frames.map { [UInt8($0.count), 0, 0, 0] + $0 }.joined())
      var assembler = FrameAssembler()
      var found: [[UInt8]] = []
      for start in stride(from: 0, to: wire.count, by: step) {
        let part = Array(wire[start..<min(start + step, wire.count)])
        try part.withUnsafeBytes { bytes in
          try assembler.consume(bytes, frameBytesMax: 40) { found.append($0) }
        }
      }
      #expect(found == frames)
      #expect(assembler.isAtBoundary)
    }

    @Test func `a length is judged before its bytes arrive`() {
      var assembler = FrameAssembler()
      #expect(throws: FrameError.tooLong(41)) {
        try [41, 0, 0, 0].withUnsafeBytes { bytes in
          try assembler.consume(bytes, frameBytesMax: 40) { _ in }
        }
      }
    }

    @Test func `an empty frame is refused`() {
      var assembler = FrameAssembler()
      #expect(throws: FrameError.empty) {
        try [0, 0, 0, 0].withUnsafeBytes { bytes in
          try assembler.consume(bytes, frameBytesMax: 40) { _ in }
        }
      }
    }
  }
#endif
