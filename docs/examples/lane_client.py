#!/usr/bin/env python3
"""Talks to a node as a peer, in Python: pulls a lane over QUIC and checks every byte of it.

It connects with a node's key, pulls the bundles of a lane, checks that each is signed, follows the
one before and holds the operations it names, rebuilds the lane's Merkle mountain range and compares
its root with the one the node states. Then it asks for the proof of the lane's last operation and
checks it up to the root over all lanes.

A node talks to members of its cluster only. Use the key of a member that does not run: with
`swarmoracle cluster up 4 --detach` and `swarmoracle cluster stop 4` that is node 4. To its peers a
second holder of one key is the same node, and of two connections to it they keep one: the key of a
running node would cut that node off. While the client is connected, peers count it as in reach.
With --unknown-key the client uses a fresh key, which must be refused: exit status 0 if it is.

    lane_client.py --api http://127.0.0.1:8001 --quic 127.0.0.1:4001 --key-file swarm/node-4/node.key

Needs Python 3.9 (pip install aioquic pynacl). The protocol is that of docs/protocol/transport.md
and docs/protocol/wire.md.
"""

import argparse
import asyncio
import datetime
import ipaddress
import json
import os
import ssl
import sys
import urllib.request

try:
    from aioquic.asyncio.client import connect
    from aioquic.asyncio.protocol import QuicConnectionProtocol
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.events import ConnectionTerminated, StreamDataReceived, StreamReset
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    sys.exit("this needs aioquic for QUIC: pip install aioquic pynacl")

from verify_proof import Cursor, Header, Refused, bound_root, check_file, digest, require, root_of

ALPN = "swarmoracle/2"
REQUEST_STREAM = b"\x03"  # The first byte of a two-way stream that carries one request.
PULL = b"\x01"  # The first byte of a request for a range of bundles.
FRAME_BYTES_MAX = 1 << 20
HEADER_BYTES_MAX, BODY_BYTES_MAX, OPERATION_BYTES_MAX = 32_768, 262_144, 65_536
CRYPTO_ERROR = 0x100  # RFC 9001, section 4.8: a TLS alert as a QUIC error.
ALERTS = {42: "bad_certificate", 116: "certificate_required", 120: "no_application_protocol"}


class Terminated(Exception):
    """The node has closed the connection."""

    def __init__(self, event):
        self.code, self.reason = event.error_code, event.reason_phrase
        super().__init__(f"the node closed the connection: {self.describe()}")

    @property
    def alert(self):
        """The TLS alert, or None when the connection ended for another reason."""
        return self.code - CRYPTO_ERROR if 0 <= self.code - CRYPTO_ERROR < 256 else None

    def describe(self):
        if self.alert is None:
            return f"code {self.code} {self.reason}".strip()
        return f"TLS alert {self.alert} ({ALERTS.get(self.alert, 'see RFC 8446, section 6')})"


class Peer(QuicConnectionProtocol):
    """A connection on which requests are made; what the node pushes on its own is not read."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.answers = {}
        self.ended = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived) and event.stream_id in self.answers:
            answer, done = self.answers[event.stream_id]
            answer.extend(event.data)
            if event.end_stream and not done.done():
                done.set_result(bytes(answer))
        elif isinstance(event, StreamReset) and event.stream_id in self.answers:
            self.answers[event.stream_id][1].set_exception(
                Refused(f"the node refused the request (code {event.error_code})"))
        elif isinstance(event, ConnectionTerminated) and not self.ended.done():
            self.ended.set_result(Terminated(event))

    async def request(self, payload):
        """Sends one request frame and returns the frames of the answer."""
        stream = self._quic.get_next_available_stream_id()
        done = asyncio.get_running_loop().create_future()
        self.answers[stream] = (bytearray(), done)
        frame = len(payload).to_bytes(4, "little") + payload
        self._quic.send_stream_data(stream, REQUEST_STREAM + frame, end_stream=True)
        self.transmit()
        await asyncio.wait({done, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            raise self.ended.result()
        del self.answers[stream]
        return frames(done.result())


def frames(data):
    """Splits an answer into its frames: a length of four bytes, and that many bytes."""
    cursor, found = Cursor(data), []
    while cursor.offset < len(data):
        count = cursor.fixed(4)
        require(0 < count <= FRAME_BYTES_MAX, f"a frame has {count} bytes")
        found.append(cursor.raw(count))
    return found


def variable(value):
    """A number in base 128, low digits first."""
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(data + bytes([value]))


def certificate(key):
    """A self-signed certificate around a node's key: the form TLS wants a bare key to have."""
    name = x509.Name([])
    start = datetime.datetime(2020, 1, 1)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(datetime.datetime(9999, 12, 31))
        .sign(key, None)
    )


def public_bytes(key):
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def get(api, path):
    with urllib.request.urlopen(api.rstrip("/") + path, timeout=10) as response:
        return json.load(response)


class MountainRange:
    """The roots of the complete subtrees over a lane's headers, tallest first."""

    def __init__(self):
        self.count, self.peaks = 0, []

    def append(self, leaf):
        rest = self.count
        while rest & 1:
            leaf = digest("so.mmr.node.v1", self.peaks.pop() + leaf)
            rest >>= 1
        self.peaks.append(leaf)
        self.count += 1

    def root(self):
        tree = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            tree = digest("so.mmr.node.v1", peak + tree)
        return bound_root(self.count, tree)


class LaneCheck:
    """Follows a lane from its first bundle and refuses the first that breaks a rule."""

    def __init__(self, lane, node, swarm):
        self.lane, self.node, self.swarm = lane, node, swarm
        self.range = MountainRange()
        self.previous, self.last_sequence, self.last_time = bytes(32), 0, 0
        self.last_header, self.last_operations = None, []

    def take(self, frame):
        cursor = Cursor(frame)
        data = cursor.bytes(HEADER_BYTES_MAX)
        signature = cursor.raw(64)
        body = cursor.bytes(BODY_BYTES_MAX)
        cursor.end()
        header = Header(data)
        place = f"bundle {header.number}"
        require(header.lane == self.lane, f"{place} belongs to another lane")
        require((header.node, header.swarm) == (self.node, self.swarm), f"{place} is misplaced")
        require(header.number == self.range.count + 1, f"{place} is not the next")
        require(header.previous == self.previous, f"{place} does not follow the one before")
        require(header.first_sequence == self.last_sequence + 1, f"{place} skips operations")
        require(header.first_time > self.last_time, f"{place} goes back in time")
        header.check_signature(signature)
        operations = self.operations(header, body)
        leaves = [digest("so.op.leaf.v1", operation) for operation in operations]
        require(root_of(leaves, "so.op.node.v1") == header.operations_root, f"{place}: wrong root")
        self.range.append(header.digest)
        self.previous = header.digest
        self.last_sequence += len(operations)
        self.last_time = header.first_time + len(operations) - 1
        self.last_header, self.last_operations = data, operations

    @staticmethod
    def operations(header, body):
        require(len(body) == header.body_bytes, f"bundle {header.number}: wrong length of body")
        cursor, operations = Cursor(body), []
        while cursor.offset < len(body):
            operations.append(cursor.bytes(OPERATION_BYTES_MAX))
        require(len(operations) == header.operation_count, f"bundle {header.number}: wrong count")
        return operations


async def pull(peer, check, last):
    """Pulls bundles 1 to `last`; a node answers with as many as fit, so it may take several."""
    requests = 0
    while check.range.count < last:
        first = check.range.count + 1
        request = check.swarm + check.lane + variable(first) + variable(last)
        answer = await peer.request(PULL + request + FRAME_BYTES_MAX.to_bytes(4, "little"))
        require(answer, f"the node has no bundle {first}")
        for frame in answer:
            check.take(frame)
        requests += 1
    return requests


def check_heads(listing):
    """Recomputes the root over all lanes from the list of them."""
    heads = sorted(listing["lanes"], key=lambda lane: lane["lane"])
    leaves = [
        digest(
            "so.head.leaf.v1",
            bytes.fromhex(head["lane"])
            + head["number"].to_bytes(8, "little")
            + head["operations"].to_bytes(8, "little")
            + bytes.fromhex(head["root"]),
        )
        for head in heads
    ]
    root = root_of(leaves, "so.head.node.v1").hex()
    require(root == listing["lanesRoot"], "the root over all lanes is not that of the lanes")


def check_operation(api, check):
    """Fetches and checks the proof of the last pulled operation, against what was pulled."""
    index = len(check.last_operations) - 1
    name = f"{check.lane.hex()}-{check.range.count}-{index}"
    # While the swarm is written to, its root moves on between two requests: then look again.
    for _ in range(20):
        proof = get(api, f"/v1/operations/{name}/proof")
        shown = check_file(proof)
        require(proof["operation"] == check.last_operations[-1].hex(), "proof of other bytes")
        require(proof["header"] == check.last_header.hex(), "proof of another header")
        if shown["laneCount"] == check.range.count:
            require(shown["laneRoot"] == check.range.root().hex(), "proof under another lane root")
        listing = get(api, "/v1/lanes")
        check_heads(listing)
        if listing["lanesRoot"] == shown["lanesRoot"]:
            return name, shown
    raise Refused("the root over all lanes moved between every two requests; write less meanwhile")


async def run(options):
    host, port = options.quic.rsplit(":", 1)
    ipaddress.ip_address(host.strip("[]"))
    status = await asyncio.to_thread(get, options.api, "/v1/status")
    node = bytes.fromhex(options.node or status["node"])
    seed = os.urandom(32)
    if not options.unknown_key:
        with open(options.key_file, encoding="ascii") as file:
            seed = bytes.fromhex(file.read().strip())
    key = Ed25519PrivateKey.from_private_bytes(seed)
    own = public_bytes(key.public_key())
    require(own != node, "this is the key of the node itself")
    # The name in the certificate proves nothing: the key is compared below.
    configuration = QuicConfiguration(
        alpn_protocols=[ALPN], is_client=True, verify_mode=ssl.CERT_NONE, idle_timeout=20.0)
    configuration.certificate, configuration.private_key = certificate(key), key
    async with connect(
        host.strip("[]"), int(port), configuration=configuration, create_protocol=Peer
    ) as peer:
        # aioquic has checked that the node holds this key, and has no public name for it.
        shown = peer._quic.tls._peer_certificate.public_key()
        require(public_bytes(shown) == node, "another node answers at this address")
        if options.unknown_key:
            # TLS 1.3: the client is done first, and hears of the refusal afterwards.
            return own, await asyncio.wait_for(asyncio.shield(peer.ended), options.timeout)
        return own, await check_lane(options, peer, status, node)


async def check_lane(options, peer, status, node):
    cluster = bytes.fromhex(status["cluster"])
    swarm = digest("so.swarm.v1", cluster + status["swarm"].encode())[:16]
    listing = await asyncio.to_thread(get, options.api, "/v1/lanes")
    check_heads(listing)
    wanted = options.lane or next(
        (head["lane"] for head in listing["lanes"] if head["node"] == node.hex()), None)
    head = next((head for head in listing["lanes"] if head["lane"] == wanted), None)
    require(head, f"the node lists no lane {wanted}")
    # The end of a lane may be on its way to the disk; a node sends only what has arrived there.
    last = min(head["syncedNumber"], options.last or head["syncedNumber"])
    require(last > 0, "nothing of the lane is durable yet")
    check = LaneCheck(bytes.fromhex(wanted), bytes.fromhex(head["node"]), swarm)
    requests = await pull(peer, check, last)
    is_whole = last == head["number"]
    if is_whole:
        require(check.range.root().hex() == head["root"], "the lane's root is another")
    name, shown = await asyncio.to_thread(check_operation, options.api, check)
    return {
        "lane": wanted,
        "node": head["node"],
        "bundles": check.range.count,
        "operations": check.last_sequence,
        "requests": requests,
        "root": check.range.root().hex(),
        "rootCompared": is_whole,
        "proofOf": name,
        "lanesRoot": shown["lanesRoot"],
    }


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api", required=True, metavar="URL", help="the node's HTTP API")
    parser.add_argument("--quic", required=True, metavar="IP:PORT", help="its address for peers")
    parser.add_argument("--node", metavar="HEX", help="its key (default: what the API says)")
    parser.add_argument("--lane", metavar="HEX", help="the lane to pull (default: the node's own)")
    parser.add_argument("--last", type=int, metavar="N", help="stop after bundle N")
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="(default: 60)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--key-file", metavar="FILE", help="the key of a member that does not run")
    key.add_argument("--unknown-key", action="store_true", help="use a fresh key, to be refused")
    return parser.parse_args()


def main():
    options = parse()
    try:
        own, found = asyncio.run(asyncio.wait_for(run(options), options.timeout))
    except Terminated as end:
        own, found = None, end
    except (asyncio.TimeoutError, TimeoutError):
        print(f"no end within {options.timeout:g} s", file=sys.stderr)
        return 1
    except (Refused, OSError, ValueError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    if isinstance(found, Terminated):
        expected = options.unknown_key and found.alert is not None
        report = {"refused": found.alert is not None, "alert": found.alert, "code": found.code}
        print(json.dumps(report) if options.json else found, file=None if expected else sys.stderr)
        return 0 if expected else 1
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"connected as   {own.hex()}")
    print(f"pulled         {found['bundles']} bundles, {found['operations']} operations")
    print(f"of the lane    {found['lane']}")
    print("checked        signatures, chain, operations' roots")
    compared = "equal to the node's" if found["rootCompared"] else "not compared: not the whole lane"
    print(f"lane's root    {found['root']} ({compared})")
    print(f"proof of       {found['proofOf']}")
    print(f"holds under    {found['lanesRoot']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
