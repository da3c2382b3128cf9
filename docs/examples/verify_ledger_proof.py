#!/usr/bin/env python3
"""Checks offline that something is final, with the cluster's genesis.json and nothing else, by the
rules of docs/protocol/proofs.md. Needs Python 3.9; PyNaCl makes it faster.

    curl -s http://127.0.0.1:8001/v1/proofs/operation/ID | verify_ledger_proof.py - genesis.json
    swarmoracle ledger export | verify_ledger_proof.py - genesis.json"""

import itertools
import json
import sys
from hashlib import blake2b
from ed25519 import verify as check_signature


def require(condition, rule):
    if not condition:
        raise ValueError(rule)


# Hashes are BLAKE2b of 32 bytes; the tag keeps one use of the hash apart from every other.
digest = lambda tag, *parts: blake2b(b"".join(parts), digest_size=32, person=tag.encode()).digest()
number = lambda value, count, order="little": int.to_bytes(value, count, order)
rest = lambda size: bytes([size]) if size < 128 else bytes([size & 127 | 128]) + rest(size >> 7)
sized = lambda data: rest(len(data)) + data
set_hash = lambda keys: digest("so.validators.v1", rest(len(keys)), *keys)


def unhex(text):
    require(bytes.fromhex(text).hex() == text, "hexadecimal digits are not in their one form")
    return bytes.fromhex(text)


def unhash(text):
    # Hashes are joined before they are hashed: one that is longer would take from its neighbour.
    require(len(text) == 64, "a hash has another length")
    return unhex(text)


def members(value, names):
    require(set(value) == set(names.split()), f"there are {sorted(value)} instead of {names}")
    return [value[name] for name in names.split()]


def trusted(genesis):
    _, name, made, voters = members(genesis, "version cluster createdMilliseconds voters")
    text = b"\1" + sized(name.encode()) + number(made, 8) + rest(len(voters))
    keys = sorted(unhash(voter["node"]) for voter in voters)
    for voter in sorted(voters, key=lambda voter: voter["node"]):
        text += unhash(voter["node"]) + sized(voter["transport"].encode())
        text += sized(voter["api"].encode())
    cluster = digest("so.cluster.v1", text)
    return digest("so.chain.v1", cluster, digest("so.swarm.v1", cluster, b"main")[:16]), keys


def check_certificate(value, validators, chain, kind, epoch, view, target):
    *said, signers, signatures = members(value, "kind epoch view hash signers signatures")
    require(said == [kind, epoch, view, target.hex()], "a certificate is of something else")
    quorum = len(validators) - (len(validators) - 1) // 3
    require(len(signers) == len(signatures) == quorum, "there is no quorum")
    require(sorted(set(signers)) == signers and signers[0] >= 0, "signers are not ascending")
    place = chain + number(epoch, 8, "big") + number(view, 8, "big")
    message = f"cons/{kind}/1".encode().ljust(16, b"\0") + place + target
    for signer, signature in zip(signers, signatures):
        check_signature(validators[signer], message, unhex(signature))


def check_chain(handovers, headers, certificate, chain, keys):
    boundary = None
    for epoch, handover in enumerate(handovers, 1):
        boundary, following, seal = members(handover, "boundary validators certificate")
        boundary, following = unhash(boundary), list(map(unhash, following))
        require(following and sorted(set(following)) == following, "validators are not ascending")
        target = digest("so.handover.v1", boundary, set_hash(following))
        check_certificate(seal, keys, chain, "handover", epoch, 0, target)
        keys = following
    headers = list(map(unhex, headers))
    hashes = [digest("so.block.v1", header) for header in headers]
    for header, parent in zip(headers, [None] + hashes):
        require(len(header) == 220 and header[:34] == b"\1\0" + chain, "a header has another form")
        require(parent in (None, header[66:98]), "headers do not follow each other")
    epoch, view = (int.from_bytes(headers[-1][at : at + 8], "little") for at in (34, 50))
    if certificate is None:
        require(boundary == hashes[-1] and epoch == len(handovers), "nothing certifies it")
    else:
        require(epoch == len(handovers) + 1, "the last header is of another epoch")
        require(headers[-1][188:] == set_hash(keys), "the header names other validators")
        check_certificate(certificate, keys, chain, "finalize", epoch, view, hashes[-1])
    return headers[0][148:156], headers[0][156:188]


def climb(value, index, count, path, tag):
    require(0 <= index < count, "there is no such leaf")
    last = count - 1  # RFC 9162, section 2.1.3.2.
    for sibling in map(unhash, path):
        require(last > 0, "a path is too long")
        if index & 1 or index == last:
            value = digest(tag, sibling, value)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            value = digest(tag, value, sibling)
        index, last = index >> 1, last >> 1
    require(last == 0, "a path is too short")
    return value


def check_operation(value, lanes_root):
    name, text, index, steps, header, signature, count, last, way, lanes = members(value, "id bytes"
        " index operationPath header signature laneCount lastSequence lanePath lanesPath")
    header, at, fields = unhex(header), 65, []
    for _ in range(2):  # The bundle's number and its first sequence.
        end = next(i for i in range(at, len(header)) if header[i] < 128) + 1
        fields.append(sum((byte & 127) << 7 * i for i, byte in enumerate(header[at:end])))
        at = end
    lane, bundle = digest("so.lane.v1", header[1:65]), digest("so.bundle.v1", header)
    require(name == f"{lane.hex()}-{fields[0]}-{index}", "the proof is of another operation")
    check_signature(header[1:33], b"swarmoracle.bundle.v1\0" + bundle, unhex(signature))
    leaf = digest("so.op.leaf.v1", unhex(text))
    operations = int.from_bytes(header[at : at + 2], "little")
    root = climb(leaf, index, operations, steps, "so.op.node.v1")
    require(root == header[-68:-36], "the operation is not in the bundle")
    tree = climb(bundle, fields[0] - 1, count, way, "so.mmr.node.v1")
    lane_root = digest("so.mmr.root.v1", number(count, 8), tree)
    value = digest("so.head.leaf.v1", lane, number(count, 8), number(last, 8), lane_root)
    for step in lanes:
        [(side, other)] = step.items()
        pair = {"left": (unhash(other), value), "right": (value, unhash(other))}[side]
        value = digest("so.head.node.v1", *pair)
    require(value == lanes_root, "the lane is not under the root over lanes")
    return f"operation {name}"


def column(value):
    if value is None:
        return b"\0"
    [(kind, text)] = value.items()
    if kind == "integer":
        require(str(int(text)) == text, "a number is not in its one form")
        return b"\1" + int(text).to_bytes(8, "little", signed=True)
    return {"text": b"\2", "bytes": b"\3"}[kind] + sized(
        unhex(text) if kind == "bytes" else text.encode())


def check_row(value, rows_root):
    table, key, values, siblings, ending = members(value, "table key values siblings ending")
    place = digest("so.trie.key.v1", number(table, 2), *map(column, key))
    bits = lambda way: f"{int.from_bytes(way, 'big'):0256b}"
    require(key and None not in key and len(siblings) <= 256, "there is no such key or path")
    kind, *other = members(ending, "kind key value" if ending["kind"] == "other" else "kind")
    if values is not None:
        require(kind == "leaf" and values[: len(key)] == key, "the row has another key")
        row = number(table, 2) + b"".join(map(column, values))
        node = digest("so.trie.leaf.v1", place, digest("so.row.v1", row))
    elif kind == "other":
        stands = bits(unhash(other[0]))[: len(siblings)] == bits(place)[: len(siblings)]
        require(stands and other[0] != place.hex(), "the other row does not stand in the way")
        node = digest("so.trie.leaf.v1", *map(unhash, other))
    else:
        node = {"empty": bytes(32)}[kind]
    for depth, sibling in zip(reversed(range(len(siblings))), map(unhash, siblings)):
        pair = (sibling, node) if bits(place)[depth] == "1" else (node, sibling)
        node = digest("so.trie.node.v1", *pair)
    require(node == rows_root, "the row is not under the root over rows")
    return f"{'row' if values else 'no row'} in table {table}: {json.dumps(values or key)}"


def check_proof(proof, chain, keys):
    kind = "operation" if "operation" in proof else "row"
    form, of, height, rows, lanes, *parts, shown = members(
        proof, f"format chain height rowsRoot lanesRoot handovers headers certificate {kind}")
    require(form == "swarmoracle.proof/1" and unhash(of) == chain, "it is of another chain")
    vouched, root = check_chain(*parts, chain, keys)
    rows, lanes = unhash(rows), unhash(lanes)
    require(vouched == number(height, 8) and height > 0, "the header vouches for another height")
    require(digest("so.exec.v1", vouched, rows, lanes) == root, "the roots are not vouched for")
    shows = check_operation(shown, lanes) if kind == "operation" else check_row(shown, rows)
    return f"final at height {height}: {shows}"


def check_receipt(value, chain, keys):
    proof = value.pop("proof", None)
    _, of, name, height, block, code, level, node, signature = members(
        value, "format chain operation height block code level node signature")
    lane, place, index = name.split("-")
    data = unhash(of) + unhash(lane) + number(int(place), 8) + number(int(index), 2)
    data += number(height, 8) + unhash(block) + number(code, 4)
    data += number(["local", "quorum", "final"].index(level) + 1, 1) + unhash(node)
    message = b"swarmoracle.receipt.v1\0" + digest("so.receipt.v1", data)
    check_signature(unhash(node), message, unhex(signature))
    same = [unhash(of), str(int(place)), str(int(index))] == [chain, place, index]
    require(same, "it is of another chain, or its name has another form")
    shown = f"{node[:16]} says: {name} ended with code {code} in block {height}, {level}"
    if proof is not None:
        require(proof["operation"]["id"] == name and proof["height"] >= height, "another proof")
        shown += "\n" + check_proof(proof, chain, keys)
    return shown


def entries(body):
    """The entries of a block's body, each as it stands there, and the moves of lanes."""
    at, found, moves = 0, [], []

    def take(count):
        nonlocal at
        require(at + count <= len(body), "a body is cut off")
        at += count
        return body[at - count : at]

    def variable():
        text = take(1)
        while text[-1] >= 128:
            text += take(1)
        value = sum((byte & 127) << 7 * i for i, byte in enumerate(text))
        require(rest(value) == text, "a number is not in its one form")
        return value

    for _ in range(variable()):
        start = at
        require(take(1) == b"\1", "a lane moves in another form")
        moves.append((take(32), variable()))
        take(32)
        found.append(body[start:at])
    for _ in range(variable()):
        start, kind = at, take(1)
        require(kind in (b"\1", b"\2"), "a transaction has another form")
        if kind == b"\1":
            take(8 + 2 * 147)  # An epoch and two votes.
        else:
            for _ in range(2):
                take(32 * variable())
            take(81)  # The statement of the consent, then places and signatures.
            take(66 * variable())
        found.append(body[start:at])
    require(at == len(body), "a body has more than its entries")
    require(all(a[0] < b[0] for a, b in zip(moves, moves[1:])), "lanes are not ascending")
    return found, moves


def tree(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else bytes(32)
    half = 1 << (len(leaves) - 1).bit_length() - 1  # RFC 9162, section 2.1.1.
    return digest("so.block.node.v1", tree(leaves[:half]), tree(leaves[half:]))


def check_ledger(lines, chain, keys):
    form, of = members(json.loads(next(lines)), "format chain")
    require(form == "swarmoracle.ledger/1" and unhash(of) == chain, "it is of another chain")
    parent, before, cut, final, epoch, fresh = chain, None, {}, 0, 1, False
    for line in lines:
        ((kind, value),) = json.loads(line).items()
        if kind == "handover":
            boundary, following, seal = members(value, "boundary validators certificate")
            require(unhex(boundary) == parent and before and not fresh, "it follows another block")
            following = list(map(unhash, following))
            require(following and sorted(set(following)) == following, "not ascending")
            target = digest("so.handover.v1", parent, set_hash(following))
            check_certificate(seal, keys, chain, "handover", epoch, 0, target)
            keys, epoch, fresh, final = following, epoch + 1, True, get(before, "height")
            continue
        header, body, certificate = members(value, "header body certificate")
        require(kind == "block", "a line has another form")
        header, body = unhex(header), unhex(body)
        require(len(header) == 220 and header[:34] == b"\1\0" + chain, "another form of header")
        require(header[66:98] == parent, "a block does not follow the one before")
        require(get(header, "height") == get(before, "height") + 1, "a height is left out")
        require(get(header, "epoch") == epoch, "an epoch is left out")
        require(header[188:] == set_hash(keys), "a block names other validators")
        require(get(header, "proposer") < len(keys), "a block is nobody's")
        require(get(header, "time") > get(before, "time") or not before, "time goes back")
        view = get(before, "view") if before and get(before, "epoch") == epoch else 0
        require(get(header, "parent view") == view, "its parent has another view")
        done, sooner = get(header, "executed"), get(before, "executed")
        require(sooner <= done < get(header, "height"), "it vouches for less, or for itself")
        same = not before or done > sooner or header[156:188] == before[156:188]
        require(same, "it vouches for another root than its parent")
        found, moves = entries(body)
        require([get(header, "bytes"), get(header, "entries")] == [len(body), len(found)], "body")
        leaves = [digest("so.block.leaf.v1", entry) for entry in found]
        require(tree(leaves) == header[108:140], "its body is another")
        require(all(cut.get(lane, 0) < end for lane, end in moves), "a lane goes back")
        cut.update(moves)
        parent, before, fresh = digest("so.block.v1", header), header, False
        if certificate is not None:
            place = epoch, get(header, "view")
            check_certificate(certificate, keys, chain, "finalize", *place, parent)
            final = get(header, "height")
    require(before, "there is no block")
    require(final == get(before, "height"), f"nobody vouches for the blocks above {final}")
    return f"final: {final} blocks in {epoch} epochs, the last one {parent.hex()}"


# Where numbers stand in a block's header.
FIELDS = {"epoch": (34, 42), "height": (42, 50), "view": (50, 58), "parent view": (58, 66),
    "proposer": (98, 100), "time": (100, 108), "bytes": (140, 144), "entries": (144, 148),
    "executed": (148, 156)}
get = lambda header, name: int.from_bytes((header or bytes(220))[slice(*FIELDS[name])], "little")


def check_file(file, trust):
    first = next(file)
    if '"swarmoracle.ledger/1"' in first[:100]:
        return check_ledger(itertools.chain([first], file), *trust)
    value = json.loads(first + file.read())
    check = check_receipt if value["format"] == "swarmoracle.receipt/1" else check_proof
    return check(value, *trust)


if __name__ == "__main__":
    try:
        path, genesis = sys.argv[1:]
        trust = trusted(json.load(open(genesis, encoding="utf-8")))
        print(check_file(sys.stdin if path == "-" else open(path, encoding="utf-8"), trust))
    except Exception as error:  # Whatever is no proof is refused like one that does not hold.
        sys.exit(f"refused: {type(error).__name__}: {error}")
