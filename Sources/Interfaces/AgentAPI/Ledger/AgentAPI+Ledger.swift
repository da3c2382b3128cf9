internal import ExecutionCore
internal import HTTPServer
internal import JSONText
internal import Primitives
internal import ProofFiles
internal import Records

/// Routes about the final ledger: its head, its blocks and its epochs.
extension AgentAPI {
  /// Blocks or epochs of one page.
  private static let ledgerPageRules: [FieldRule] = [
    FieldRule(
      "from", .integer(0...Int64(BlockLimits.numberMax)), fallback: "0",
      "The first height or epoch wanted."),
    FieldRule("limit", .integer(1...64), fallback: "20", "How many at most."),
  ]

  static let ledgerRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("ledger"), .literal("head")], "getLedgerHead",
      "Says how far the final ledger is, who makes it, and why it stands still if it does.",
      readsFinal: true, successes: [(200, .json(Shapes.ledgerHead))]
    ) { api, exchange throws(APIProblem) in try api.getLedgerHead(exchange) },
    Route(
      .get, [.literal("v1"), .literal("ledger"), .literal("blocks")], "listLedgerBlocks",
      "Lists final blocks in the order of their heights.", query: ledgerPageRules, readsFinal: true,
      successes: [(200, .json(Shapes.ledgerBlocks))]
    ) { api, exchange throws(APIProblem) in try api.listLedgerBlocks(exchange) },
    Route(
      .get, [.literal("v1"), .literal("ledger"), .literal("blocks"), .number("height")],
      "getLedgerBlock",
      "Gives a final block with the certificate that finalized it, if it has one.",
      readsFinal: true, successes: [(200, .json(Shapes.ledgerBlock))]
    ) { api, exchange throws(APIProblem) in try api.getLedgerBlock(exchange) },
    Route(
      .get, [.literal("v1"), .literal("ledger"), .literal("epochs")], "listLedgerEpochs",
      "Lists epochs, their validators, and how those before handed over.", query: ledgerPageRules,
      readsFinal: true, successes: [(200, .json(Shapes.ledgerEpochs))]
    ) { api, exchange throws(APIProblem) in try api.listLedgerEpochs(exchange) },
    Route(
      .get, [.literal("v1"), .literal("proofs"), .literal("operation"), .operation],
      "getOperationProof",
      "Gives all that shows offline, to whom has the genesis, that an operation"
        + " is final.", readsFinal: true, successes: [(200, .json(Shapes.ledgerProof))],
      problems: [.notFound, .notFinal]
    ) { api, exchange throws(APIProblem) in try api.getOperationProof(exchange) },
    Route(
      .get, [.literal("v1"), .literal("proofs"), .literal("row"), .table, .keyColumns],
      "getRowProof",
      "Gives all that shows offline, to whom has the genesis, what a table of the"
        + " final state has under a key, absence included.", readsFinal: true,
      successes: [(200, .json(Shapes.ledgerProof))], problems: [.notFound, .notFinal]
    ) { api, exchange throws(APIProblem) in try api.getRowProof(exchange) },
    Route(
      .get, [.literal("v1"), .literal("operations"), .operation, .literal("receipt")],
      "getReceipt", "Gives what executing an operation answered, signed by this node.",
      query: [FieldRule("proof", .flag, "Whether to add the proof that the operation is final.")],
      readsFinal: true, successes: [(200, .json(Shapes.receipt))],
      problems: [.notFound, .notFinal]
    ) { api, exchange throws(APIProblem) in try api.getReceipt(exchange) },
  ]

  // MARK: The ledger

  /// The final ledger, or the refusal that says that there is none.
  func finalLedger() throws(APIProblem) -> any FinalityReading {
    guard let finality else {
      throw APIProblem(
        .noFinality,
        "this node keeps no final ledger; validators of the cluster do when finality is on")
    }
    return finality
  }

  /// The final ledger, when new blocks become final at present.
  func runningFinality() throws(APIProblem) -> any FinalityReading {
    let ledger = try finalLedger()
    if let reason = ledger.ledgerHead.stopped {
      throw APIProblem(
        .noFinality,
        "nothing becomes final here at present: \(reason); use the level quorum, or another node",
        headers: [HTTPField("Retry-After", "5")])
    }
    return ledger
  }

  private func getLedgerHead(_ exchange: Exchange) throws(APIProblem) {
    let head = try finalLedger().ledgerHead
    finish(exchange, json { $0.write(head) })
  }

  private func listLedgerBlocks(_ exchange: Exchange) throws(APIProblem) {
    let ledger = try finalLedger()
    let (first, limit) = AgentAPI.page(exchange, atLeast: 1)
    guard exchange.park() else { return }
    ledger.ledgerBlocks(from: first, count: limit) { [unowned self] result in
      finish(exchange, result) { blocks, writer in
        writer.beginObject()
        writer.key("blocks")
        writer.beginArray()
        for block in blocks { writer.write(block) }
        writer.endArray()
        if let last = blocks.last?.block.header.height, last < ledger.ledgerHead.finalized.height {
          writer.key("next")
          writer.unsigned(last + 1)
        }
        writer.endObject()
      }
    }
  }

  private func getLedgerBlock(_ exchange: Exchange) throws(APIProblem) {
    let height = try exchange.number(3)
    let ledger = try finalLedger()
    guard exchange.park() else { return }
    ledger.ledgerBlocks(from: height, count: 1) { [unowned self] result in
      if case .success(let blocks) = result, blocks.first?.block.header.height != height {
        return finish(
          exchange,
          APIProblem(
            .notFound,
            "no block of height \(height) is final here; blocks begin at 1, the last is"
              + " \(ledger.ledgerHead.finalized.height)"))
      }
      finish(exchange, result) { blocks, writer in
        for block in blocks { writer.write(block) }
      }
    }
  }

  private func listLedgerEpochs(_ exchange: Exchange) throws(APIProblem) {
    let ledger = try finalLedger()
    let (first, limit) = AgentAPI.page(exchange, atLeast: LedgerTrust.firstEpoch)
    guard exchange.park() else { return }
    ledger.ledgerEpochs(from: first, count: limit) { [unowned self] result in
      finish(exchange, result) { epochs, writer in
        writer.beginObject()
        writer.key("epochs")
        writer.beginArray()
        for epoch in epochs { writer.write(epoch) }
        writer.endArray()
        if epochs.count == limit, let last = epochs.last {
          writer.key("next")
          writer.unsigned(last.epoch + 1)
        }
        writer.endObject()
      }
    }
  }

  private static func page(_ exchange: Exchange, atLeast least: UInt64) -> (UInt64, Int) {
    let first = UInt64(clamping: exchange.query.integer("from") ?? 0)
    return (max(first, least), Int(exchange.query.integer("limit") ?? 20))
  }

  // MARK: Proofs and receipts

  private func getOperationProof(_ exchange: Exchange) throws(APIProblem) {
    let operation = try exchange.operationID(3)
    let ledger = try finalLedger()
    guard exchange.park() else { return }
    ledger.ledgerProof(of: operation) { [unowned self] result in
      do throws(APIProblem) {
        let proof = try AgentAPI.proof(result, of: "the operation \(operation)")
        finish(exchange, json { $0.write(proof) })
      } catch {
        finish(exchange, error)
      }
    }
  }

  private func getRowProof(_ exchange: Exchange) throws(APIProblem) {
    let schema = try FinalTables.schema(named: exchange.segments[3])
    let key = try FinalTables.key(Array(exchange.segments[4...]), of: schema)
    let ledger = try finalLedger()
    guard exchange.park() else { return }
    ledger.ledgerProof(ofRowIn: schema.number, key: key) { [unowned self] result in
      do throws(APIProblem) {
        let proof = try AgentAPI.proof(result, of: "the row of \(schema.name)")
        finish(exchange, json { $0.write(proof) })
      } catch {
        finish(exchange, error)
      }
    }
  }

  private static func proof(
    _ result: Result<LedgerProofAnswer, ReadFault>, of what: String
  ) throws(APIProblem) -> LedgerProof {
    switch result {
    case .success(.proof(let proof)): return proof
    case .success(.unknown):
      throw APIProblem(
        .notFound, "this node does not hold \(what); it may arrive with the next exchange")
    case .success(.notFinal): throw notFinal(what)
    case .success(.overtaken):
      throw APIProblem(
        .notReady, "the state moved on before a final block vouched for \(what); try again",
        headers: [HTTPField("Retry-After", "1")])
    case .failure(let fault): throw problem(for: fault)
    }
  }

  private static func notFinal(_ what: String) -> APIProblem {
    APIProblem(
      .notFinal, "no final block vouches for \(what) yet; try again",
      headers: [HTTPField("Retry-After", "1")])
  }

  private func getReceipt(_ exchange: Exchange) throws(APIProblem) {
    let operation = try exchange.operationID(2)
    let ledger = try finalLedger()
    guard exchange.park() else { return }
    ledger.receipts(for: [operation]) { [unowned self] result in
      switch result {
      case .success(let receipts):
        guard let receipt = receipts.first.flatMap(\.self) else {
          return finish(exchange, AgentAPI.notFinal("the operation \(operation)"))
        }
        guard exchange.query.flag("proof") else {
          return finish(exchange, json { $0.write(receipt) })
        }
        ledger.ledgerProof(of: operation) { [unowned self] result in
          do throws(APIProblem) {
            let proof = try AgentAPI.proof(result, of: "the operation \(operation)")
            finish(exchange, json { $0.write(receipt, proof: proof) })
          } catch {
            finish(exchange, error)
          }
        }
      case .failure(let fault): finish(exchange, AgentAPI.problem(for: fault))
      }
    }
  }

  /// Adds what executing them answered to a write whose operations are final, and refuses it when
  /// the final order left no room for one of them.
  ///
  /// When what it creates exists, an earlier try may have gone through another node: the request is
  /// handled once more, and is now compared with what is there.
  func sign(
    _ receipt: WriteReceipt, for exchange: Exchange, confirmed: @escaping (WriteReceipt) -> Void
  ) {
    guard let finality else {
      preconditionFailure("a write became final at a node without a final ledger")
    }
    finality.receipts(for: receipt.operations) { [unowned self] result in
      var receipt = receipt
      // They are final whether or not they can be read at this moment; the receipts can be asked
      // for later.
      if case .success(let signed) = result { receipt.receipts = signed.compactMap(\.self) }
      let exists = UInt32(ResultCode.exists.rawValue)
      let refused = receipt.receipts.first {
        $0.code != 0 && !($0.code == exists && receipt.isReplayed)
      }
      guard let refused else { return confirmed(receipt) }
      if refused.code == exists, !exchange.isOnceMore {
        var again = exchange
        again.isOnceMore = true
        return run(again)
      }
      var problem = APIProblem(
        .refusedFinally,
        "\(FinalTables.refusal(refused.code)) when it was executed at height \(refused.height);"
          + " what came before it in the final order decides, and its receipt says so")
      problem.members = [
        ("receipts", json { $0.writeList(receipt.receipts) }.body)
      ]
      finish(exchange, problem)
    }
  }

  /// Answers with what was read.
  func finish<Value>(
    _ exchange: Exchange, _ result: Result<Value, ReadFault>,
    _ write: (Value, inout JSONWriter) -> Void
  ) {
    switch result {
    case .success(let value): finish(exchange, json { write(value, &$0) })
    case .failure(let fault): finish(exchange, AgentAPI.problem(for: fault))
    }
  }
}

extension Exchange {
  /// The height or epoch that the path names at `index`.
  func number(_ index: Int) throws(APIProblem) -> UInt64 {
    let text = segments[index]
    guard let number = UInt64(text), "\(number)" == text, number <= BlockLimits.numberMax else {
      throw APIProblem(
        .notFound, "\"\(text.prefix(80))\" is no height; heights are whole numbers from 1")
    }
    return number
  }
}
