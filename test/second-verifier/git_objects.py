"""Git's objects: their names, and what trees and commits say."""

import hashlib
import re
from collections import namedtuple

Entry = namedtuple("Entry", "mode name oid")

FOLDER = "40000"
FILES = ("100644", "100755", "100664", "120000")


def object_id(kind, content):
    return hashlib.sha1(b"%s %d\x00" % (kind.encode(), len(content)) + content).hexdigest()


def tree_entries(content):
    """The entries of a tree: mode, space, name, NUL, 20 bytes, again and again; None where the bytes are no tree."""
    entries, at = [], 0
    while at < len(content):
        space = content.find(b" ", at)
        nul = content.find(b"\x00", space + 1) if space >= 0 else -1
        if nul < 0 or nul + 21 > len(content):
            return None
        mode, name = content[at:space], content[space + 1 : nul]
        entries.append(
            Entry(mode.decode(errors="replace"), name.decode(errors="replace"), content[nul + 1 : nul + 21].hex())
        )
        at = nul + 21
    return entries


def commit_tree(content):
    """The tree that a commit's first line names; None where the bytes are no commit."""
    match = re.match(rb"tree ([0-9a-f]{40})\n", content)
    return match[1].decode() if match else None


def commit_parents(content):
    match = re.match(rb"tree [0-9a-f]{40}\n((?:parent [0-9a-f]{40}\n)*)author ", content)
    return re.findall(r"[0-9a-f]{40}", match[1].decode()) if match else None
