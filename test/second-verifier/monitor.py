#!/usr/bin/env python3
"""
A monitor of a log that is served as C2SP tlog-tiles: Python's standard library alone, written from the specification.

    python3 monitor.py URL --key VKEY [--token TOKEN] [--seen CHECKPOINT]

takes the checkpoint, all entries and all tiles, and holds them against each other, the key, and a checkpoint that was
seen before. Prints what it found as JSON; ends with 0 where all of it holds, 1 where something does not.
"""

import argparse
import json
import struct
import sys
import urllib.error
import urllib.request
from pathlib import Path

import merkle
import notes

WIDTH, HASH = 256, 32


class Broken(Exception):
    """The log is not what it says that it is; the message says what was found."""


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
    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def get(self, path):
        request = urllib.request.Request(f"{self.url}/{path}")
        if self.token is not None:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Broken(f"found {error.code} for {path}") from error

    def served(self, level, count, size_of_one):
        """What is served of a level that has `count` hashes or entries, in order."""
        for index in range(-(-count // WIDTH)):
            width = min(WIDTH, count - index * WIDTH)
            data = self.get(path_of(level, index, width))
            if len(data) != width * size_of_one:
                raise Broken(f"found {len(data)} bytes in {path_of(level, index, width)}")
            for at in range(0, len(data), size_of_one):
                yield data[at : at + size_of_one]


def checkpoint_of(text, key):
    note = notes.parse_note(text)
    notes.signers(note, [key])
    checkpoint = notes.parse_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise Broken(f"found a checkpoint of {checkpoint.origin}, expected one of {key.name}")
    return checkpoint


def follow(log, key, seen):
    checkpoint = checkpoint_of(log.get("checkpoint").decode(), key)
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
    for each in [checkpoint] + ([] if seen is None else [checkpoint_of(seen, key)]):
        if not 0 < each.size <= len(leaves) or root_of(leaves[: each.size]) != each.root:
            raise Broken(f"found another tree than the checkpoint of {each.size} events signs")
    return {"origin": checkpoint.origin, "size": checkpoint.size, "levels": level}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--key", required=True)
    parser.add_argument("--token")
    parser.add_argument("--seen", type=Path)
    given = parser.parse_args()
    try:
        seen = None if given.seen is None else given.seen.read_text(encoding="utf-8")
        found = follow(Log(given.url, given.token), notes.parse_key(given.key), seen)
    except (Broken, notes.Malformed) as error:
        print(json.dumps({"broken": str(error)}))
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
