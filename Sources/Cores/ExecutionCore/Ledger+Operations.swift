internal import AnswerCore
internal import Crypto
internal import LedgerCore
internal import Merkle
internal import Primitives
package import Records
internal import Wire

/// Operations: each is accepted, or changes nothing and gets a code.
extension Ledger {
  mutating func execute(_ bytes: [UInt8], at stamp: OperationStamp) -> ResultCode {
    guard let operation = Ledger.decode(bytes) else { return .invalid }
    let code = admit(operation)
    guard code == .accepted else {
      refuse(bytes, at: stamp, code)
      return code
    }
    tables.settle(operation, at: stamp, into: &written)
    let agent: AgentID
    switch operation {
    case .register(let registration):
      agent = registration.agent
      open(agent)
    case .ask(let posting):
      agent = posting.asker
      open(posting)
    case .answer(let posting):
      agent = posting.agent
      accept(posting)
    case .resolve(let resolution):
      agent = resolution.resolver
      verify(resolution)
    case .announce: return .accepted
    case .define(let definition): agent = definition.agent
    case .change(let change): agent = change.agent
    }
    if let index = accountIndexes[agent] {
      let leaf = SignedBundle.leaf(of: bytes)
      accounts[index].stream.append(Blake2b.hash(leaf.bytes, .streamLeaf))
      touch(index)
    }
    return .accepted
  }

  private static func decode(_ bytes: [UInt8]) -> LedgerOperation? {
    do throws(WireError) {
      let operation = try LedgerOperation(decoding: bytes)
      return operation.validate() == nil ? operation : nil
    } catch {
      return nil
    }
  }

  private func admit(_ operation: LedgerOperation) -> ResultCode {
    switch operation {
    case .register(let registration):
      return tables.agent(registration.agent) == nil ? .accepted : .exists
    case .ask(let posting):
      if tables.question(posting.question) != nil { return .exists }
      return may(posting.asker, .ask)
    case .answer(let posting): return admit(posting)
    case .resolve(let resolution):
      guard let index = questionIndexes[resolution.question] else { return .unknownQuestion }
      if questions[index].phase == .verified { return .closed }
      let allowed = may(resolution.resolver, .resolve)
      guard allowed == .accepted else { return allowed }
      let key = CanonicalAnswer.key(of: resolution.value)
      return offers(resolution.question, key) ? .accepted : .notAChoice
    case .define(let definition):
      if tables.collection(definition.name) != nil { return .exists }
      return may(definition.agent, [])
    case .change(let change): return may(change.agent, [])
    case .announce: return .accepted
    }
  }

  private func admit(_ posting: AnswerPosting) -> ResultCode {
    guard let index = questionIndexes[posting.question] else { return .unknownQuestion }
    switch questions[index].phase {
    case .open, .debating: break
    case .consensus, .closed, .verified: return .closed
    }
    let allowed = may(posting.agent, .answer)
    guard allowed == .accepted else { return allowed }
    if tables.answer(posting.question, posting.agent) != nil { return .exists }
    let key = CanonicalAnswer.key(value: posting.value, content: posting.content)
    guard offers(posting.question, key) else { return .notAChoice }
    guard let account = account(posting.agent),
      posting.stakeMillionths <= UInt64(account.available)
    else { return .insufficientStake }
    return .accepted
  }

  private func may(_ agent: AgentID, _ capability: Capabilities) -> ResultCode {
    guard let summary = tables.agent(agent) else { return .unknownAgent }
    return summary.capabilities.isSuperset(of: capability) ? .accepted : .notAllowed
  }

  private func offers(_ question: QuestionID, _ key: AnswerKey) -> Bool {
    guard let choices = tables.question(question)?.choices, !choices.isEmpty else { return true }
    return choices.contains { CanonicalAnswer.key(of: $0) == key }
  }

  /// An agent's account.
  package func account(_ agent: AgentID) -> Account? {
    accountIndexes[agent].map { accounts[$0] }
  }

  /// The account's row is written when the block ends, once.
  mutating func touch(_ index: Int) {
    if accounts[index].isTouched { return }
    accounts[index].isTouched = true
    touchedAccounts.append(index)
  }

  private mutating func open(_ agent: AgentID) {
    accountIndexes[agent] = accounts.count
    var account = Account(agent: agent)
    account.available = ExecutionLimits.grantMillionths
    minted += ExecutionLimits.grantMillionths
    accounts.append(account)
  }
}
