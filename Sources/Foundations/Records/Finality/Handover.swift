internal import Crypto
internal import Primitives

/// What validators sign when their epoch ends: which block ends it and who follows.
package enum Handover {
  /// The statement that a quorum of the validators of `reference.epoch` signs for the boundary
  /// block `reference`, in which `next` are named as the validators that follow.
  package static func statement(
    chain: ChainID, boundary: BlockReference, next: ValidatorSet
  ) -> Statement {
    Statement(
      kind: .handover, chain: chain, epoch: boundary.epoch, view: 0,
      hash: Blake2b.hash(boundary.hash, next.hash, .handover))
  }
}
