internal import Crypto
package import Primitives

/// Where the nodes of a trie are read from.
package protocol TrieNodes {
  /// Whether a node is compared with the hash by which another one names it.
  var areChecked: Bool { get }

  /// The node at a path, or `nil` if there is none.
  func node(at path: TriePath) throws -> TrieNode?
}

/// Stored nodes that do not make a trie.
package enum TrieError: Error, Hashable, Sendable {
  /// A node that another one names is not there.
  case missing(TriePath)
  /// A node does not have the hash under which another one names it.
  case damaged(TriePath)
}

/// One key that a batch sets or removes.
package struct TrieEdit: Hashable, Sendable {
  /// The key.
  package let key: Digest
  /// Its new value; `nil` removes it.
  package let value: Digest?

  /// Sets `key`, or removes it.
  package init(key: Digest, value: Digest?) {
    self.key = key
    self.value = value
  }
}

/// What a batch changes in the stored nodes.
package struct TrieUpdate: Hashable, Sendable {
  /// The root after the batch.
  package let root: Digest
  /// The nodes that are new, other than before, or gone (`nil`), in ascending order of path.
  package let changes: [Change]
  /// The keys of the batch that had a value before, in ascending order.
  package let found: [Digest]

  /// One node.
  package struct Change: Hashable, Sendable {
    /// Where it is.
    package let path: TriePath
    /// What it is now; `nil` when it is gone.
    package let node: TrieNode?

    /// Says what is at a path now.
    package init(path: TriePath, node: TrieNode?) {
      self.path = path
      self.node = node
    }
  }
}

/// A map from digests to digests under one root, with proofs of presence and of absence.
///
/// A binary tree over the bits of the keys, most significant first, in which a part with one leaf
/// is that leaf and a part without leaves is zero (Gao, Hu and Wu, "Jellyfish Merkle tree", 2021).
/// Four binary levels are stored as one node, and hashed as four.
///
/// Invariants:
/// - M1: the root is a function of the set of keys and values alone.
/// - M2: every stored node other than the top has two leaves below it or more; the top has one.
package enum SparseMerkleTrie {
  /// The root over what `nodes` hold; zero for nothing.
  package static func root(in nodes: some TrieNodes) throws -> Digest {
    try nodes.node(at: .top)?.sum.hash ?? .zero
  }

  /// Applies a batch in strictly ascending order of key. Reads only nodes on the keys' ways.
  package static func update(
    _ batch: [TrieEdit], in nodes: some TrieNodes
  ) throws -> TrieUpdate {
    precondition(
      zip(batch, batch.dropFirst()).allSatisfy { $0.key < $1.key },
      "a batch of \(batch.count) edits is not in order of key")
    let top = try nodes.node(at: .top)
    var editor = TrieEditor(nodes: nodes)
    let before = top?.sum ?? .empty
    let after = try editor.apply(batch[...], to: before, depth: 0)
    if case .leaf(let key, _) = after {
      var node = TrieNode()
      node.set(after, at: key.digit(0))
      editor.note(node, at: .top)
    } else if case .empty = after, top != nil {
      editor.note(nil, at: .top)
    }
    return TrieUpdate(
      root: after.hash, changes: editor.changes.sorted { $0.path < $1.path }, found: editor.found)
  }

  /// The value of a key, if it has one.
  package static func value(of key: Digest, in nodes: some TrieNodes) throws -> Digest? {
    guard var node = try nodes.node(at: .top) else { return nil }
    for depth in 0..<64 {
      switch node[key.digit(depth)] {
      case .empty: return nil
      case .leaf(let other, let value): return other == key ? value : nil
      case .inner(let hash):
        guard depth < 63 else { throw TrieError.damaged(TriePath(depth: depth, of: key)) }
        node = try read(TriePath(depth: depth + 1, of: key), hash, nodes)
      }
    }
    return nil
  }

  static func read(
    _ path: TriePath, _ hash: Digest, _ nodes: some TrieNodes
  ) throws -> TrieNode {
    guard let node = try nodes.node(at: path) else { throw TrieError.missing(path) }
    guard !nodes.areChecked || node.sum == .inner(hash) else { throw TrieError.damaged(path) }
    return node
  }
}

/// One batch at work.
private struct TrieEditor<Nodes: TrieNodes> {
  let nodes: Nodes
  /// Every path is noted once but for the top, which is noted last.
  var changes: [TrieUpdate.Change] = []
  /// Keys that were there, in the order in which the edits are applied: ascending.
  var found: [Digest] = []

  mutating func note(_ node: TrieNode?, at path: TriePath) {
    if changes.last?.path == path { changes.removeLast() }
    changes.append(TrieUpdate.Change(path: path, node: node))
  }

  /// Applies edits, all of whose keys begin alike, to the part that they share.
  mutating func apply(
    _ edits: ArraySlice<TrieEdit>, to part: TrieSlot, depth: Int
  ) throws -> TrieSlot {
    guard let first = edits.first else { return part }
    let path: TriePath
    let old: TrieNode
    switch part {
    case .empty: return build(edits, depth: depth)
    case .leaf(let key, let value):
      let all = joined(edits, key, value)
      if all.count == edits.count { found.append(key) }
      return build(all[...], depth: depth)
    case .inner(let hash):
      path = TriePath(depth: depth, of: first.key)
      old = try SparseMerkleTrie.read(path, hash, nodes)
    }
    var new = old
    try eachDigit(of: edits, at: depth) { editor, digit, some in
      guard depth < 63 || !old[digit].isInner else { throw TrieError.damaged(path) }
      new.set(try editor.apply(some, to: old[digit], depth: depth + 1), at: digit)
    }
    let sum = new.keepSum()
    if !sum.isInner {
      note(nil, at: path)
    } else if new != old {
      note(new, at: path)
    }
    return sum
  }

  /// The edits with a leaf among them that stands unless one of them says otherwise.
  private func joined(
    _ edits: ArraySlice<TrieEdit>, _ key: Digest, _ value: Digest
  ) -> [TrieEdit] {
    var result = Array(edits)
    let place = result.firstIndex { $0.key >= key } ?? result.count
    if place == result.count || result[place].key != key {
      result.insert(TrieEdit(key: key, value: value), at: place)
    }
    return result
  }

  /// Makes a part that held nothing else.
  private mutating func build(_ edits: ArraySlice<TrieEdit>, depth: Int) -> TrieSlot {
    let kept = edits.filter { $0.value != nil }
    guard let first = kept.first, let value = first.value else { return .empty }
    if kept.count == 1 { return .leaf(key: first.key, value: value) }
    var node = TrieNode()
    eachDigit(of: kept[...], at: depth) { editor, digit, some in
      node.set(editor.build(some, depth: depth + 1), at: digit)
    }
    let sum = node.keepSum()
    note(node, at: TriePath(depth: depth, of: first.key))
    return sum
  }

  /// Lends the edits of each digit in turn.
  private mutating func eachDigit<Failure: Error>(
    of edits: ArraySlice<TrieEdit>, at depth: Int,
    _ body: (inout TrieEditor, Int, ArraySlice<TrieEdit>) throws(Failure) -> Void
  ) throws(Failure) {
    var start = edits.startIndex
    while start < edits.endIndex {
      let digit = edits[start].key.digit(depth)
      var end = start + 1
      while end < edits.endIndex, edits[end].key.digit(depth) == digit { end += 1 }
      try body(&self, digit, edits[start..<end])
      start = end
    }
  }
}

/// The nodes of a trie in memory.
package struct MemoryTrieNodes: TrieNodes, Sendable {
  // For lookup alone: its order reaches no result.
  private var nodes: [TriePath: TrieNode] = [:]
  package let areChecked: Bool

  /// Holds nothing. What only ever takes over changes of this process needs no checks, which would
  /// hash every node on a key's way once more.
  package init(areChecked: Bool = true) {
    self.areChecked = areChecked
  }

  /// How many nodes there are.
  package var count: Int { nodes.count }

  package func node(at path: TriePath) -> TrieNode? { nodes[path] }

  /// Takes over what a batch changed.
  package mutating func apply(_ changes: [TrieUpdate.Change]) {
    for change in changes { nodes[change.path] = change.node }
  }

  /// Takes over what a batch changed, and gives what stood there before: applied in turn, that
  /// undoes the batch.
  package mutating func replace(_ changes: [TrieUpdate.Change]) -> [TrieUpdate.Change] {
    changes.map { change in
      let old = nodes[change.path]
      nodes[change.path] = change.node
      return TrieUpdate.Change(path: change.path, node: old)
    }
  }
}
