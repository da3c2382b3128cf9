import CoreKit
import Primitives
import RaftCore
import Records
import Wire

/// The names that all tests share.
enum Name {
  static func node(_ number: Int) -> NodeID {
    NodeID(key: Digest(words: UInt64(number) + 1, 5, 6, 7))
  }

  static func member(_ number: Int, life: UInt64 = 0) -> RaftMember {
    RaftMember(node: node(number), life: life)
  }

  static func id(_ number: Int) -> RaftID { member(number).id }

  static func configuration(
    voters: [Int], outgoing: [Int] = [], learners: [Int] = []
  ) -> RaftConfiguration {
    let all = Set(voters + outgoing + learners).sorted()
    return RaftConfiguration(
      members: all.map { member($0) }, voters: voters.map(id), outgoing: outgoing.map(id),
      learners: learners.map(id))
  }

  static func change(voters: [Int], learners: [Int] = []) -> RaftChange {
    RaftChange(
      members: Set(voters + learners).sorted().map { member($0) }, voters: voters.map(id),
      learners: learners.map(id))
  }

  static func moment(_ milliseconds: UInt64) -> Moment {
    moment(instant: .origin + .milliseconds(milliseconds))
  }

  static func moment(instant: Instant) -> Moment {
    Moment(instant: instant, wallMilliseconds: instant.nanoseconds / 1_000_000)
  }

  static func entry(
    _ index: UInt64, term: UInt64, _ text: String = "x"
  ) -> RaftEntry {
    RaftEntry(term: term, index: index, kind: .command, payload: Array(text.utf8))
  }

  static func entry(
    _ index: UInt64, term: UInt64, _ configuration: RaftConfiguration
  ) -> RaftEntry {
    RaftEntry(term: term, index: index, kind: .configuration, payload: configuration.encoded)
  }
}
