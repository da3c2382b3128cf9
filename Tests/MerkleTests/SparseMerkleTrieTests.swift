import Crypto
import Merkle
import Primitives
import Testing

@Suite struct SparseMerkleTrieTests {
  /// The root by definition: over bits, with nothing stored.
  private static func naiveRoot(_ leaves: [(Digest, Digest)], bit: Int = 0) -> Digest {
    guard let first = leaves.first else { return .zero }
    if leaves.count == 1 { return Blake2b.hash(first.0, first.1, .trieLeaf) }
    func isSet(_ key: Digest) -> Bool { key.bytes[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1 }
    return Blake2b.hash(
      naiveRoot(leaves.filter { !isSet($0.0) }, bit: bit + 1),
      naiveRoot(leaves.filter { isSet($0.0) }, bit: bit + 1), .trieNode)
  }

  /// Keys of which many share long beginnings.
  private static func key(_ random: inout Xoshiro256) -> Digest {
    let word = random.next()
    switch random.next() % 4 {
    case 0: return Digest(words: 0, 0, 0, word % 64)
    case 1: return Digest(words: (word % 4) << 62, 0, word % 3, word % 5)
    case 2: return Digest(words: 0xABCD << 48 | word % 32, word % 7, 0, 0)
    default: return Digest(words: word, 1, 2, 3)
    }
  }

  private static func batch(
    _ random: inout Xoshiro256, upTo count: UInt64, removing share: UInt64
  ) -> [TrieEdit] {
    var edits = SortedMap<Digest, TrieEdit>()
    for _ in 0..<(1 + random.next() % count) {
      let key = key(&random)
      let isRemoved = random.next() % 100 < share
      let value = Digest(words: random.next() % 8, 7, 7, 7)
      edits[key] = TrieEdit(key: key, value: isRemoved ? nil : value)
    }
    return edits.entries.map(\.value)
  }

  private func rebuilt(_ model: SortedMap<Digest, Digest>) throws -> MemoryTrieNodes {
    var nodes = MemoryTrieNodes()
    let edits = model.entries.map { TrieEdit(key: $0.key, value: $0.value) }
    nodes.apply(try SparseMerkleTrie.update(edits, in: nodes).changes)
    return nodes
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `hashes that are kept with nodes are those of their slots, also after going back`(
    seed: UInt64
  ) throws {
    var random = Xoshiro256(seed: seed)
    var nodes = MemoryTrieNodes(areChecked: false)
    for step in 0..<40 {
      let before = try SparseMerkleTrie.root(in: nodes)
      let edits = SparseMerkleTrieTests.batch(
        &random, upTo: 12, removing: step % 10 < 6 ? 20 : 95)
      let update = try SparseMerkleTrie.update(edits, in: nodes)
      let replaced = nodes.replace(update.changes)
      // What a node says of its slots is hashed afresh here, with nothing that was kept.
      #expect(try SparseMerkleTrie.root(in: nodes) == update.root)
      for change in update.changes where change.path != .top {
        guard let node = change.node else { continue }
        #expect(TrieNode(bytes: node.bytes) == node)
        guard let below = leaf(under: node) else { continue }
        let depth = change.path.depth - 1
        let digit = below.bytes[depth / 2] >> (depth % 2 == 0 ? 4 : 0) & 15
        let above = nodes.node(at: TriePath(depth: depth, of: below))
        #expect(above?[Int(digit)] == node.sum)
      }
      guard random.next() % 3 == 0 else { continue }
      let undone = zip(replaced, update.changes).map { old, new in
        guard let before = old.node, let after = new.node else { return old }
        return TrieUpdate.Change(
          path: old.path, node: after.with(before.slots(otherThan: after)))
      }
      nodes.apply(undone)
      #expect(undone == replaced)
      #expect(try SparseMerkleTrie.root(in: nodes) == before)
    }
  }

  private func leaf(under node: TrieNode) -> Digest? {
    for slot in node.slots {
      if case .leaf(let key, _) = slot { return key }
    }
    return nil
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `batches give the root of the definition and the nodes of a fresh trie`(
    seed: UInt64
  ) throws {
    var random = Xoshiro256(seed: seed)
    var nodes = MemoryTrieNodes()
    var model = SortedMap<Digest, Digest>()
    for step in 0..<30 {
      let edits = SparseMerkleTrieTests.batch(
        &random, upTo: 12, removing: step % 10 < 6 ? 20 : 95)
      let update = try SparseMerkleTrie.update(edits, in: nodes)
      #expect(update.found == edits.map(\.key).filter { model[$0] != nil })
      for edit in edits { model[edit.key] = edit.value }
      for change in update.changes { #expect(nodes.node(at: change.path) != change.node) }
      nodes.apply(update.changes)
      #expect(update.root == SparseMerkleTrieTests.naiveRoot(model.entries.map { ($0, $1) }))
      #expect(try SparseMerkleTrie.root(in: nodes) == update.root)
      let fresh = try rebuilt(model)
      #expect(fresh.count == nodes.count)
      for edit in edits {
        #expect(try SparseMerkleTrie.value(of: edit.key, in: nodes) == model[edit.key])
      }
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `removing everything in any order leaves no node`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed)
    var nodes = MemoryTrieNodes()
    let edits = SparseMerkleTrieTests.batch(&random, upTo: 60, removing: 0)
    var rest = edits
    while !rest.isEmpty {
      let edit = rest.remove(at: Int(random.next() % UInt64(rest.count)))
      nodes.apply(try SparseMerkleTrie.update([edit], in: nodes).changes)
    }
    var whole = MemoryTrieNodes()
    whole.apply(try SparseMerkleTrie.update(edits, in: whole).changes)
    #expect(try SparseMerkleTrie.root(in: nodes) == SparseMerkleTrie.root(in: whole))
    #expect(nodes.count == whole.count)
    rest = edits
    while !rest.isEmpty {
      let edit = rest.remove(at: Int(random.next() % UInt64(rest.count)))
      let gone = TrieEdit(key: edit.key, value: nil)
      nodes.apply(try SparseMerkleTrie.update([gone], in: nodes).changes)
    }
    #expect(nodes.count == 0)
    #expect(try SparseMerkleTrie.root(in: nodes) == .zero)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `proofs show what is there and what is not, and nothing else`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed)
    var nodes = MemoryTrieNodes()
    let edits = SparseMerkleTrieTests.batch(&random, upTo: 50, removing: 0)
    let root = try SparseMerkleTrie.update(edits, in: nodes).root
    nodes.apply(try SparseMerkleTrie.update(edits, in: nodes).changes)
    let lie = Digest(words: 6, 6, 6, 6)
    for key in edits.map(\.key) + (0..<40).map({ _ in SparseMerkleTrieTests.key(&random) }) {
      let value = edits.first { $0.key == key }?.value
      let proof = try SparseMerkleTrie.proof(of: key, in: nodes)
      #expect(proof.shows(value, of: key, under: root))
      #expect(!proof.shows(lie, of: key, under: root))
      #expect(!proof.shows(value == nil ? lie : nil, of: key, under: root))
      #expect(!proof.shows(value, of: key, under: lie))
      for forged in forgeries(of: proof, lie, &random) {
        #expect(!forged.shows(value, of: key, under: root))
        #expect(!forged.shows(lie, of: key, under: root))
        #expect(value == nil || !forged.shows(nil, of: key, under: root))
      }
    }
  }

  /// Proofs that differ from a good one in one place.
  private func forgeries(
    of proof: TrieProof, _ lie: Digest, _ random: inout Xoshiro256
  ) -> [TrieProof] {
    var result = [
      TrieProof(siblings: proof.siblings + [.zero], ending: proof.ending),
      TrieProof(siblings: [.zero] + proof.siblings, ending: proof.ending),
      TrieProof(
        siblings: Array(repeating: .zero, count: 257), ending: proof.ending),
    ]
    if !proof.siblings.isEmpty {
      let place = Int(random.next() % UInt64(proof.siblings.count))
      var changed = proof.siblings
      changed[place] = lie
      result.append(TrieProof(siblings: changed, ending: proof.ending))
      result.append(TrieProof(siblings: Array(proof.siblings.dropLast()), ending: proof.ending))
      result.append(TrieProof(siblings: Array(proof.siblings.dropFirst()), ending: proof.ending))
    }
    let endings: [TrieProof.Ending] = [.leaf, .empty, .other(key: lie, value: lie)]
    for ending in endings where ending != proof.ending {
      result.append(TrieProof(siblings: proof.siblings, ending: ending))
    }
    return result
  }

  @Test func `another key's leaf elsewhere does not show that a key is absent`() throws {
    let present = Digest(words: 0, 0, 0, 1)
    let distant = Digest(words: 1 << 63, 0, 0, 0)
    var nodes = MemoryTrieNodes()
    let edits = [TrieEdit(key: present, value: .zero), TrieEdit(key: distant, value: .zero)]
    let update = try SparseMerkleTrie.update(edits, in: nodes)
    nodes.apply(update.changes)
    let forged = TrieProof(
      siblings: try SparseMerkleTrie.proof(of: distant, in: nodes).siblings,
      ending: .other(key: distant, value: .zero))
    #expect(!forged.shows(nil, of: present, under: update.root))
    #expect(!forged.shows(nil, of: distant, under: update.root))
    #expect(forged.shows(nil, of: Digest(words: 3 << 62, 0, 0, 0), under: update.root))
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `nodes are read back from their bytes and from no others`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed)
    let edits = SparseMerkleTrieTests.batch(&random, upTo: 60, removing: 0)
    for change in try SparseMerkleTrie.update(edits, in: MemoryTrieNodes()).changes {
      let node = try #require(change.node)
      #expect(TrieNode(bytes: node.bytes) == node)
      #expect(TrieNode(bytes: node.bytes + [0]) == nil)
      #expect(TrieNode(bytes: Array(node.bytes.dropLast())) == nil)
      var both = node.bytes
      both[2] |= both[0]
      both[3] |= both[1]
      #expect(both == node.bytes || TrieNode(bytes: both) == nil)
    }
    #expect(TrieNode(bytes: [0, 0, 0, 0]) == nil)
    #expect(TrieNode(bytes: []) == nil)
  }

  @Test func `a missing or a changed node is told by its path`() throws {
    let edits = (0..<40).map {
      TrieEdit(key: Digest(words: 0, 0, 0, UInt64($0)), value: .zero)
    }
    let whole = try SparseMerkleTrie.update(edits, in: MemoryTrieNodes()).changes
    let deep = try #require(whole.last).path
    var nodes = MemoryTrieNodes()
    nodes.apply(whole.filter { $0.path != deep })
    let key = edits[39].key
    #expect(throws: TrieError.missing(deep)) { try SparseMerkleTrie.value(of: key, in: nodes) }
    #expect(throws: TrieError.missing(deep)) { try SparseMerkleTrie.proof(of: key, in: nodes) }
    let edit = [TrieEdit(key: key, value: deep.prefix)]
    #expect(throws: TrieError.missing(deep)) { try SparseMerkleTrie.update(edit, in: nodes) }
    let other = try #require(whole.first { $0.path != deep }?.node)
    nodes.apply([.init(path: deep, node: other)])
    #expect(throws: TrieError.damaged(deep)) { try SparseMerkleTrie.update(edit, in: nodes) }
  }
}
