#!/usr/bin/env python3
"""
A monitor of a log that is served as C2SP tlog-tiles: Python's standard library alone, written from the specification.

    python3 monitor.py URL --key VKEY [--token TOKEN] [--seen CHECKPOINT] [--timeout SECONDS]

takes the checkpoint, all entries and all tiles, and holds them against each other, the key, and a checkpoint that was
seen before. Prints what it found as JSON; ends with 0 where all of it holds, 1 where something does not, 2 where the
log could not be looked at: then nothing is known of it.
"""

import argparse
import http.client
import json
import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import merkle
import notes

WIDTH, HASH = 256, 32
# Of an answer: no checkpoint or tile is longer.
MOST_BYTES = 1_000_000
BUSY, TRIES, PAUSE = (429, 503), 3, 2


class Broken(Exception):
    """The log is not what it says that it is; the message says what was found."""


class Unchecked(Exception):
    """The log could not be looked at; the message says what was found, and what to do."""


def status_trouble(status, path):
    if status in (401, 403):
        do = "give the token of somebody who reads the ledger (--token), or ask for the log to be given to anybody"
    elif status == 404 and path == "checkpoint":
        do = "give the address that the log is served under; or nobody signed the log yet: try again later"
    elif status in BUSY:
        do = "the server is busy, or lacks the files of the log: try again later, and ask who runs it if that does not help"
    elif status >= 500:
        do = "the server has an error, or holds a log that is not what it signed: ask who runs it"
    else:
        do = "give the address that the log is served under, or ask who runs it"
    return f"found the answer {status} for {path}, expected 200; {do}"


def network_trouble(error, url, seconds):
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):
        return f"found no host of the name in {url}; look at the address, and whether names are resolved here"
    if isinstance(reason, ssl.SSLError):
        return (
            f"found no TLS to trust at {url} ({reason}); give an address that speaks it, with a certificate that this"
            " machine trusts (the file that SSL_CERT_FILE names holds whom)"
        )
    if isinstance(reason, TimeoutError):
        return f"found no answer of {url} within {seconds:g} seconds; try again later, or wait longer (--timeout)"
    if isinstance(reason, ConnectionRefusedError):
        return f"found nobody who answers at {url}; look at the address and the port, and whether the server runs"
    if isinstance(reason, ValueError):
        return f"found an address or a token that can not be asked with ({reason}); give URL as https://host[:port]"
    return f"found no whole answer of {url} ({type(reason).__name__}: {reason}); look at the address, and try again"


def path_of(level, index, width):
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def root_of(hashes):
    """Merkle Tree Hash of leaves by their hashes (RFC 6962, section 2.1), level by level."""
    while len(hashes) > 1:
        pairs = [merkle.node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(pairs) * 2 :]
    return hashes[0]


class Log:
    def __init__(self, url, token, seconds):
        self.url, self.token, self.seconds = url.rstrip("/"), token, seconds

    def get(self, path, tries=TRIES):
        try:
            request = urllib.request.Request(f"{self.url}/{path}")
            if self.token is not None:
                request.add_header("Authorization", f"Bearer {self.token}")
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                return answer.read(MOST_BYTES)
        except urllib.error.HTTPError as error:
            if error.code not in BUSY or tries == 1:
                raise Unchecked(status_trouble(error.code, path)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unchecked(network_trouble(error, self.url, self.seconds)) from error
        time.sleep(PAUSE)
        return self.get(path, tries - 1)

    def served(self, level, count, size_of_one):
        """What is served of a level that has `count` hashes or entries, in order."""
        for index in range(-(-count // WIDTH)):
            width = min(WIDTH, count - index * WIDTH)
            data = self.get(path_of(level, index, width))
            if len(data) != width * size_of_one:
                raise Broken(f"found {len(data)} bytes in {path_of(level, index, width)}")
            for at in range(0, len(data), size_of_one):
                yield data[at : at + size_of_one]


def checkpoint_of(data, key, where):
    try:
        note = notes.parse_note(data.decode())
        checkpoint = notes.parse_checkpoint(note.text)
    except (notes.Malformed, UnicodeDecodeError) as error:
        raise Unchecked(f"found no checkpoint in {where} ({error}); give that of a log, as it is served") from error
    notes.signers(note, [key])
    if checkpoint.origin != key.name:
        raise Broken(f"found a checkpoint of {checkpoint.origin}, expected one of {key.name}")
    return checkpoint


def follow(log, key, seen):
    checkpoint = checkpoint_of(log.get("checkpoint"), key, f"{log.url}/checkpoint")
    leaves = []
    for entry in log.served("entries", checkpoint.size, 2 + HASH):
        if struct.unpack(">H", entry[:2]) != (HASH,):
            raise Broken(f"found an entry of another length at {len(leaves)}")
        leaves.append(merkle.leaf_hash(entry[2:]))
    level, hashes = 0, leaves
    while hashes:
        if list(log.served(level, len(hashes), HASH)) != hashes:
            raise Broken(f"found tiles of level {level} that are not those of the entries")
        full = len(hashes) // WIDTH
        hashes = [root_of(hashes[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
        level += 1
    for each in [checkpoint] + ([] if seen is None else [seen]):
        if not 0 < each.size <= len(leaves) or root_of(leaves[: each.size]) != each.root:
            raise Broken(f"found another tree than the checkpoint of {each.size} events signs")
    return {"origin": checkpoint.origin, "size": checkpoint.size, "levels": level}


def key_of(text):
    try:
        return notes.parse_key(text)
    except notes.Malformed as error:
        raise Unchecked(f"found no key ({error}); give the log's own, as who runs it made it known (--key)") from error


def read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unchecked(f"found no checkpoint in {path} ({error.strerror}); give a file with one (--seen)") from error


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--key", required=True)
    parser.add_argument("--token")
    parser.add_argument("--seen", type=Path)
    parser.add_argument("--timeout", type=float, default=30)
    given = parser.parse_args()
    try:
        key = key_of(given.key)
        seen = None if given.seen is None else checkpoint_of(read(given.seen), key, given.seen)
        found = follow(Log(given.url, given.token, given.timeout), key, seen)
    except Unchecked as error:
        print(json.dumps({"unchecked": str(error)}))
        return 2
    except (Broken, notes.Malformed) as error:
        print(json.dumps({"broken": str(error)}))
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
