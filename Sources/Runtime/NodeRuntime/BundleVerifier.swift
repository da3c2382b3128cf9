internal import CoreKit
internal import Crypto
internal import GossipCore
internal import Reactor
internal import Records
internal import Synchronization
internal import Wire

/// Decodes and verifies bundles on a thread of its own, in the order they came.
///
/// A signature takes some fifty microseconds to check: too long for the loop, which would answer
/// nobody meanwhile. Everything hostile on the bundle paths ends here: what leaves this door is
/// `Verified`.
final class BundleVerifier: Sendable {
  /// What came from a peer.
  enum Job: Sendable {
    /// Frames that should each be a bundle.
    case frames([[UInt8]], from: PeerIndex, BundleArrival)
    /// A pull ended; reported after the bundles that it brought.
    case pullEnded(PullID, PullOutcome)
  }

  /// What is handed to the loop.
  enum Finding: Sendable {
    /// Bundles whose signature and content are sound.
    case bundles([Verified<SignedBundle>], from: PeerIndex, BundleArrival)
    /// Frames that are no bundles, or whose signature or content is not sound.
    case refused(count: Int, from: PeerIndex, reason: String)
    /// A pull ended.
    case pullEnded(PullID, PullOutcome)
  }

  private struct Queue {
    var jobs: [Job] = []
    var byteCount = 0
    var isStopped = false
  }

  private let queue = Mutex(Queue())
  private let ready = Condition()

  /// Makes a verifier; `run` does the work.
  init() {}

  /// Bytes of frames that are not judged yet.
  var pendingBytes: Int { queue.withLock { $0.byteCount } }

  /// Hands over a job.
  func submit(_ job: Job) {
    queue.withLock { queue in
      queue.jobs.append(job)
      queue.byteCount += BundleVerifier.byteCount(of: job)
    }
    ready.signal()
  }

  /// Ends `run`.
  func stop() {
    queue.withLock { $0.isStopped = true }
    ready.signal()
  }

  /// Works until `stop`; the body of the verifier's thread.
  func run(handing findings: Mailbox<Finding>) {
    while true {
      let (jobs, isStopped) = queue.withLock { queue in
        let taken = queue.jobs
        queue.jobs = []
        return (taken, queue.isStopped)
      }
      if isStopped { return }
      if jobs.isEmpty {
        ready.wait()
        continue
      }
      for job in jobs {
        let judged = BundleVerifier.judge(job)
        // Before the findings are posted: what wakes the loop must let it see the room.
        queue.withLock { $0.byteCount -= BundleVerifier.byteCount(of: job) }
        for finding in judged {
          // The mailbox is far larger than what peers may send before their credit is withheld; a
          // finding that does not fit is lost like a packet and pulled again.
          _ = findings.post(finding)
        }
      }
    }
  }

  /// What a frame takes in memory besides its bytes: tiny ones would otherwise pile up uncounted.
  private static let frameOverheadBytes = 128

  private static func byteCount(of job: Job) -> Int {
    switch job {
    case .frames(let frames, _, _):
      frames.reduce(0) { $0 + $1.count + frameOverheadBytes }
    case .pullEnded: 0
    }
  }

  /// Decodes and checks one job.
  static func judge(_ job: Job) -> [Finding] {
    switch job {
    case .pullEnded(let pull, let outcome):
      return [.pullEnded(pull, outcome)]
    case .frames(let frames, let peer, let arrival):
      var bundles: [Verified<SignedBundle>] = []
      var findings: [Finding] = []
      bundles.reserveCapacity(frames.count)
      for frame in frames {
        do throws(WireError) {
          let bundle = try SignedBundle(decoding: frame)
          if let verified = Verified(checking: bundle) {
            bundles.append(verified)
          } else {
            findings.append(
              .refused(count: 1, from: peer, reason: "signature or content is not sound"))
          }
        } catch {
          findings.append(.refused(count: 1, from: peer, reason: "not a bundle: \(error)"))
        }
      }
      if !bundles.isEmpty { findings.insert(.bundles(bundles, from: peer, arrival), at: 0) }
      return findings
    }
  }
}
