"""C2SP signed-note, tlog-checkpoint and tlog-cosignature: what keys say, and whether they said it."""

import base64
import binascii
import hashlib
import re
from collections import namedtuple

import ed25519

LOG, WITNESS = 1, 4
LONGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100
# Of a cosignature: 9999-12-31T23:59:59Z.
LATEST = 253_402_300_799

Key = namedtuple("Key", "text name id kind public_key")
Note = namedtuple("Note", "text signatures")
Signature = namedtuple("Signature", "name id signature")
Checkpoint = namedtuple("Checkpoint", "origin size root extensions")


class Malformed(ValueError):
    """The text is not what it should be; the message says what was found."""


def base64_bytes(text):
    """The bytes that standard base64 spells; None for what is not the one way to write them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None
    if isinstance(text, str):
        text = text.encode("ascii")
    return data if base64.b64encode(data) == text else None


# White space as Unicode has it, and the byte order mark, which ECMAScript counts as space.
SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
KEY_NAME = re.compile(rf"[^+{SPACE}]+")


def is_well_formed(text):
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_key_name(name):
    return isinstance(name, str) and KEY_NAME.fullmatch(name) is not None and is_well_formed(name)


def has_controls(text):
    return any(character < " " and character != "\n" for character in text)


def parse_key(text):
    """A verifier key: name, "+", its id in hex, "+", base64 of its kind and its 32 bytes."""
    match = re.fullmatch(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text) if isinstance(text, str) else None
    material = base64_bytes(match[3]) if match else None
    if not match or not is_key_name(match[1]) or material is None or len(material) != 33:
        raise Malformed(f"found {text!r}, expected <name>+<8 hex digits>+<base64 of kind and key>")
    if material[0] not in (LOG, WITNESS):
        raise Malformed(f"found a key of kind {material[0]}, expected 1 or 4")
    digest = hashlib.sha256(match[1].encode() + b"\n" + material).digest()
    if digest[:4].hex() != match[2]:
        raise Malformed(f"found the key id {match[2]}, expected {digest[:4].hex()}")
    return Key(text, match[1], digest[:4], material[0], material[1:])


def parse_note(content):
    """A text and its signature lines, believed by nobody yet."""
    if not isinstance(content, str) or not is_well_formed(content) or has_controls(content):
        raise Malformed("found no text, or control characters or lone surrogates in a note")
    # Counted in UTF-16 units.
    if len(content.encode("utf-16-le")) > 2 * LONGEST_NOTE:
        raise Malformed("found a note that is too long")
    split = content.rfind("\n\n")
    if split < 0 or not content.endswith("\n"):
        raise Malformed("found no signatures after an empty line")
    lines = content[split + 2 : -1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise Malformed(f"found {len(lines)} signatures")
    signatures = []
    for line in lines:
        match = re.fullmatch(rf"\u2014 ([^{SPACE}]+) ([^{SPACE}]+)", line)
        data = base64_bytes(match[2]) if match and match[2].isascii() else None
        if not match or not is_key_name(match[1]) or data is None or len(data) <= 4:
            raise Malformed(f"found the signature line {line!r}")
        signatures.append(Signature(match[1], data[:4], data[4:]))
    return Note(content[: split + 1], signatures)


def signers(note, keys):
    """
    Which of these keys signed the note, each with its time in seconds where it says one. One of them whose signature
    does not hold spoils the note; signatures of other keys are passed over. At least one has to hold.
    """
    found = []
    for name, key_id, signature in note.signatures:
        key = next((key for key in keys if key.name == name and key.id == key_id), None)
        if key is None:
            continue
        seconds, message = None, note.text.encode()
        if key.kind == WITNESS:
            seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = b"cosignature/v1\ntime %d\n" % seconds + message
        if (seconds or 0) > LATEST or not ed25519.verify(key.public_key, message, signature):
            raise Malformed(f"found a signature of {name} that does not verify")
        found.append((key, seconds))
    if not found:
        raise Malformed("found no signature of a known key")
    return found


def parse_checkpoint(text):
    """Origin, size and root, a line each."""
    if not text.endswith("\n"):
        raise Malformed("found no newline at the end of a checkpoint")
    lines = text[:-1].split("\n")
    if len(lines) < 3:
        raise Malformed("found no three lines in a checkpoint")
    origin, size, root, *extensions = lines
    if any(line == "" or has_controls(line) for line in [origin, *extensions]):
        raise Malformed("found an empty line in a checkpoint")
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", size, re.ASCII) or int(size) > 2**53 - 1:
        raise Malformed(f"found the size {size!r} in a checkpoint")
    data = base64_bytes(root) if root.isascii() else None
    if data is None or len(data) != 32:
        raise Malformed(f"found the root {root!r} in a checkpoint")
    return Checkpoint(origin, int(size), data, extensions)
