internal import JSONText

/// What one node may hold at once; beyond each limit it refuses or closes, and counts that.
package struct NodeLimits: Hashable, Sendable {
  /// Connections of agents to the API.
  package var apiConnections = 1_024
  /// Bytes of one request's body.
  package var requestBodyBytes = 1 << 20
  /// Writes that wait for the group commit before more are answered 503.
  package var pendingWrites = 8_192
  /// Connections of peers.
  package var peerConnections = 256
  /// Bytes of bundles that wait for what they depend on.
  package var parkedBytes = 16 << 20
  /// Blocks between two snapshots of the ledger. Nodes of one cluster are to have the same number:
  /// a snapshot is fetched from all who have it.
  package var snapshotBlocks = 1_024

  /// The default limits.
  package init() {}

  /// One limit: its key, what it may be and where it is kept.
  struct Rule: Sendable {
    let key: String
    let range: ClosedRange<Int>
    let path: any WritableKeyPath<NodeLimits, Int> & Sendable
  }

  /// Every limit, in the order in which they are written.
  static let rules: [Rule] = [
    Rule(key: "apiConnections", range: 1...65_536, path: \.apiConnections),
    Rule(key: "requestBodyBytes", range: 4_096...(64 << 20), path: \.requestBodyBytes),
    Rule(key: "pendingWrites", range: 1...1_048_576, path: \.pendingWrites),
    Rule(key: "peerConnections", range: 1...4_096, path: \.peerConnections),
    Rule(key: "parkedBytes", range: (1 << 20)...(4 << 30), path: \.parkedBytes),
    Rule(key: "snapshotBlocks", range: 32...(1 << 30), path: \.snapshotBlocks),
  ]

  /// Takes the limits that are named; the others keep their defaults.
  init(_ fields: JSONFields) throws {
    var fields = fields
    for rule in NodeLimits.rules {
      if let value = try fields.optionalInteger(rule.key, in: rule.range) {
        self[keyPath: rule.path] = value
      }
    }
    try fields.expectNoMore()
  }

  var json: JSONValue {
    .object(
      NodeLimits.rules.map {
        JSONMember(key: $0.key, value: .integer(Int64(self[keyPath: $0.path])))
      })
  }
}
