package import Primitives
package import Records

extension FinalityObserver {
  /// What a quorum said.
  mutating func certify(_ statement: Statement) {
    let place = ViewKey(epoch: statement.epoch, view: statement.view)
    var known = certified[place] ?? Certified()
    switch statement.kind {
    case .notarize:
      if let other = known.notarized {
        if other != statement.hash {
          report(.exclusiveCertificates, "two blocks are notarized in view \(statement.view)")
        }
        return
      }
      known.notarized = statement.hash
      certified[place] = known
      checkJustification(of: statement)
    case .nullify:
      if known.finalized != nil {
        report(.exclusiveCertificates, "view \(statement.view) is finalized and nullified")
      }
      known.isNullified = true
      certified[place] = known
    case .finalize:
      if known.isNullified {
        report(.exclusiveCertificates, "view \(statement.view) is nullified and finalized")
      }
      if let other = known.finalized ?? known.notarized, other != statement.hash {
        report(.exclusiveCertificates, "view \(statement.view) is finalized as another block")
      }
      known.finalized = statement.hash
      certified[place] = known
    case .handover, .reconfigure: break
    }
  }

  private mutating func checkJustification(of statement: Statement) {
    guard let header = headers[statement.hash] else { return }
    guard header.view == statement.view, header.parentView < header.view else {
      return report(.justification, "view \(statement.view) notarizes a block of another view")
    }
    for view in header.parentView..<header.view {
      let place = ViewKey(epoch: header.epoch, view: view)
      let isParent = view == header.parentView
      let isKnown =
        isParent
        ? view == 0 || certified[place]?.notarized == header.parentHash
          || certified[place]?.finalized == header.parentHash
        : certified[place]?.isNullified == true
      if !isKnown {
        report(.justification, "the block of view \(header.view) skips view \(view)")
      }
    }
  }

  /// Leaders take turns: in one epoch a leader's place less its view is always the same.
  mutating func checkLeadership(of header: BlockHeader) {
    guard let count = validatorCount(ofEpoch: header.epoch) else { return }
    let turn =
      (UInt64(header.proposer) + UInt64(count) - header.view % UInt64(count))
      % UInt64(count)
    if let known = turns[header.epoch], known != turn {
      report(.leadership, "validator \(header.proposer) leads view \(header.view) out of turn")
    }
    turns[header.epoch] = turn
  }

  /// Looks at a block that an honest node holds for final.
  package mutating func finalized(_ block: Block, at host: Int) {
    let header = block.header
    let tip = tips[host]
    let follows = header.height == tip.height + 1 && header.parentHash == tip.hash
    let rises = header.epoch > tip.epoch || header.view > tip.view
    if !follows || !rises {
      report(
        .hashChain, "node \(host) finalizes height \(header.height) above \(tip.height)")
    }
    if let other = finals[header.height] {
      if other != block.hash {
        report(.agreement, "node \(host) has another final block at height \(header.height)")
      }
    } else {
      finals[header.height] = block.hash
    }
    tips[host] = Tip(
      height: header.height, hash: block.hash, epoch: header.epoch, view: header.view)
  }

  /// Looks at an outcome of execution that is durable at an honest node.
  package mutating func executed(height: UInt64, root: Digest, at host: Int) {
    if let other = roots[height] {
      if other != root { report(.execution, "node \(host) differs at height \(height)") }
    } else {
      roots[height] = root
    }
    floors[host] = max(floors[host], height)
  }

  /// Takes note that a node's executed chain is gone, so that it begins at height 0 again.
  package mutating func lostLedger(_ host: Int) { floors[host] = 0 }

  /// Looks at where a node starts again.
  package mutating func restarted(
    _ host: Int, height: UInt64, hash: Digest, epoch: UInt64, view: UInt64
  ) {
    if height < floors[host] {
      report(.monotoneFloor, "node \(host) starts at \(height), below \(floors[host])")
    }
    tips[host] = Tip(height: height, hash: hash, epoch: epoch, view: view)
  }
}
