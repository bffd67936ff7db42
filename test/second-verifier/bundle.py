"""
The file: one line of JSON for each part, in this order: header, git objects, the events of each stream, summary, end.

What is wrong with the form is collected as faults, and reading goes on, so that the other checks can say what they
find. The one exception is a first line that shows that this is no bundle, or one of a later version: NoBundle.
"""

import hashlib
import re
from collections import namedtuple
from functools import lru_cache

import canonical
from notes import base64_bytes

START = b'{"format":"holdfast-bundle",'
NOTARY = "notary"
# Of the events of runs and studies, those whose place in the log is proven since a check asks what came first.
PLACED_TYPES = ("RunOpened", "LoopEnded", "SealedRowsOpened")
MOST_STREAMS, LONGEST_NAME, LONGEST_PROOF, MOST_LEAVES = 10_000, 1_000, 53, 1_000_000
LONGEST_LINE, LONGEST_TEXT = 64 * 1024 * 1024, 16 * 1024 * 1024

Leaf = namedtuple("Leaf", "index proof")
# `kind` is what the last bytes of the body say; `body` what all of them spell, None where they spell no event.
Event = namedtuple("Event", "stream revision kind data hash body leaf placed")
Object = namedtuple("Object", "kind content")


class NoBundle(ValueError):
    """The bytes are no bundle, or one of a version that is not known here."""


class Bundle:
    def __init__(self):
        self.header = None
        self.faults = []
        self.lines = 0
        self.leaves = 0
        self.objects = {}
        self.asked = set()
        # For each stream its events, as far as they are there.
        self.events = {}
        self.summary = None

    def read_object(self, oid):
        """The object of this id, or None. What it gives has to be hashed by whoever asks."""
        if oid in self.objects:
            self.asked.add(oid)
        return self.objects.get(oid)


def is_name(value):
    # Lengths are counted in UTF-16 units.
    return isinstance(value, str) and 0 < len(value.encode("utf-16-be", "surrogatepass")) <= 2 * LONGEST_NAME


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 2**53 - 1


def has_members(value, *names):
    return isinstance(value, dict) and sorted(value) == sorted(names)


def is_proof(value):
    """Whether this is the place of a stream's head: an index, and hashes in base64."""
    if not has_members(value, "index", "proof") or not (value["index"] == 0 or is_count(value["index"])):
        return False
    if isinstance(value["index"], bool) or not isinstance(value["proof"], list) or len(value["proof"]) > LONGEST_PROOF:
        return False
    hashes = [base64_bytes(each) if isinstance(each, str) else None for each in value["proof"]]
    return all(each is not None and len(each) == 32 for each in hashes)


def canonical_object(line):
    """What a line spells; None for anything but the RFC 8785 form of an object."""
    try:
        value = canonical.parse(line)
        return value if isinstance(value, dict) and canonical.encoded(value) == line else None
    except canonical.NotJson:
        return None


def by_code_units(name):
    return name.encode("utf-16-be", "surrogatepass")


def header_fault(value):
    """What is wrong with a header; None for a good one."""
    if not has_members(value, "format", "origin", "streams", "subject", "version"):
        return "a header with other members"
    if not is_name(value["origin"]):
        return "a header without an origin"
    subject, streams = value["subject"], value["streams"]
    if not has_members(subject, "id", "kind") or not is_name(subject["id"]):
        return "a header without a subject"
    if subject["kind"] not in ("finding", "run"):
        return "a header with a subject of another kind"
    if not isinstance(streams, list) or len(streams) > MOST_STREAMS:
        return "a header without streams"
    for each in streams:
        if (
            not has_members(each, "events", "head", "heads", "stream")
            or not is_name(each["stream"])
            or not is_count(each["events"])
            or not isinstance(each["head"], str)
            or not re.fullmatch(r"[0-9a-f]{64}", each["head"])
            or not (each["heads"] is None if each["stream"] == NOTARY else is_proof(each["heads"]))
        ):
            return "a header with a stream that is none"
    names = [each["stream"] for each in streams]
    others = sorted({name for name in names if name != NOTARY}, key=by_code_units)
    if names != [NOTARY, *others]:
        return "a header whose streams are not notary and then the others by name, each once"
    return None


def parse_object(line):
    """`{"content":BASE64,"oid":…,"part":"object","type":…}`; None for any other line."""
    match = re.search(rb'","oid":"([0-9a-f]{40})","part":"object","type":"(blob|tree|commit)"\}\Z', line)
    start = b'{"content":"'
    if not match or not line.startswith(start) or match.start() < len(start):
        return None
    return match[1].decode(), Object(match[2].decode(), base64_bytes(line[len(start) : match.start()]))


LEAF = re.compile(rb'(0|[1-9][0-9]{0,15}),"proof":\[((?:"[A-Za-z0-9+/]{43}="(?:,"[A-Za-z0-9+/]{43}=")*)?)\]\}')


def parse_leaf(text):
    match = LEAF.fullmatch(text)
    if not match or int(match[1]) > 2**53 - 1:
        return None
    proof = [base64_bytes(quoted.strip(b'"')) for quoted in match[2].split(b",") if quoted]
    return Leaf(int(match[1]), proof) if len(proof) <= LONGEST_PROOF and None not in proof else None


def split_event(line):
    """
    The body of an event's line, and what its leaf says, where it has one; None for any other line. The body is the
    event as the log stores it, byte for byte: its hash is taken of these bytes, not of anything written again.
    """
    if not line.startswith(b'{"body":{') or not line.endswith(b',"part":"event"}'):
        return None
    inner = line[len(b'{"body":') : -len(b',"part":"event"}')]
    if inner.endswith(b'"}'):
        return inner, None
    at = inner.rfind(b',"leaf":{"index":')
    if not inner.endswith(b"]}") or at < 0 or not inner[:at].endswith(b'"}'):
        return None
    return inner[:at], inner[at + len(b',"leaf":{"index":') :]


def kind_at_end(body, stream, revision):
    """The type of an event whose last members say that it is this one of this stream; None where they don't."""
    match = re.search(rb'"type":"([A-Za-z]{1,64})"\}\Z', body)
    tail = b',"revision":%d,"stream":%s,' % (revision, canonical.string(stream).encode())
    return match[1].decode() if match and body[: match.start()].endswith(tail) else None


def is_placed(stream, kind, is_last):
    """Whether an event has to carry its place in the tree; no other may."""
    return stream != NOTARY and (is_last or stream.startswith(("finding-", "data-")) or kind in PLACED_TYPES)


# Many bundles that are verified one after the other are much alike.
@lru_cache(maxsize=20_000)
def is_canonical(data):
    try:
        return canonical.encoded(canonical.parse(data)) == data
    except canonical.NotJson:
        return False


@lru_cache(maxsize=20_000)
def event_body(data):
    """What the bytes of an event spell; None where they spell no event."""
    try:
        body = canonical.parse(data)
    except canonical.NotJson:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        return None
    return body if isinstance(body.get("data"), dict) and isinstance(body.get("metadata"), dict) else None


def read_event(bundle, line, stream, revision, is_last):
    def fault(text):
        bundle.faults.append(f"line {bundle.lines}: {text}")

    split = split_event(line)
    if split is None:
        fault(f"another line, expected event {revision} of {stream}")
        return Event(stream, revision, None, line, hashlib.sha256(line).hexdigest(), event_body(line), None, False)
    data, rest = split
    kind = kind_at_end(data, stream, revision)
    leaf = None if rest is None else parse_leaf(rest)
    placed = kind is not None and is_placed(stream, kind, is_last)
    if kind is None:
        fault(f"another event, expected event {revision} of {stream}")
    elif not is_canonical(data):
        fault(f"event {revision} of {stream} is not written in RFC 8785 form")
    elif rest is not None and leaf is None:
        fault("a place that is not written as one")
    elif placed != (leaf is not None):
        fault(f"{kind}, event {revision} of {stream}, {'tells no place' if placed else 'must tell no place'}")
    if leaf is not None:
        bundle.leaves += 1
        if bundle.leaves == MOST_LEAVES + 1:
            fault(f"more than {MOST_LEAVES} places")
    return Event(stream, revision, kind, data, hashlib.sha256(data).hexdigest(), event_body(data), leaf, placed)


def read_header(bundle, line):
    if not line.startswith(START):
        raise NoBundle("another first line")
    value = canonical_object(line)
    # True and 1 are equal in Python, and are not in JSON.
    if value is not None and (isinstance(value.get("version"), bool) or value.get("version") != 1):
        raise NoBundle(f"version {value.get('version')!r}")
    fault = "a header that is not canonical" if value is None else header_fault(value)
    if fault is not None:
        bundle.faults.append(f"line 1: {fault}")
        return
    bundle.header = value
    bundle.events = {each["stream"]: [] for each in value["streams"]}


def parse_summary(line):
    value = canonical_object(line)
    if not has_members(value, "part", "text") or value["part"] != "summary":
        return None
    return value["text"] if isinstance(value["text"], str) else None


def parse_end(line):
    value = canonical_object(line)
    if not has_members(value, "lines", "part") or value["part"] != "end" or not is_count(value["lines"]):
        return None
    return value["lines"]


def as_text(line):
    """A line that is read as a whole; nothing of one that is too long for that."""
    return line if len(line) <= LONGEST_TEXT else b""


def read(data):
    """Reads a bundle's bytes, line by line."""
    bundle = Bundle()
    *lines, rest = data.split(b"\n")
    if not lines:
        if not data.startswith(START):
            raise NoBundle("another beginning")
        bundle.faults += ["no line feed", "the file was cut"]
        return bundle
    read_header(bundle, as_text(lines[0]))
    expected = [
        (each["stream"], revision, revision + 1 == each["events"])
        for each in (bundle.header or {"streams": []})["streams"]
        for revision in range(each["events"])
    ]
    at, last_oid, part = 0, "", "objects"
    for number, line in enumerate(lines[1:], 2):
        bundle.lines = number
        if len(line) > LONGEST_LINE:
            bundle.faults.append(f"line {number} is too long")
            break
        if part == "objects":
            found = parse_object(line)
            if found is not None:
                oid, value = found
                if oid <= last_oid:
                    bundle.faults.append(f"line {number}: object {oid} after {last_oid}")
                last_oid = oid
                bundle.objects.setdefault(oid, value)
                continue
            part = "events"
        if part == "events":
            if at < len(expected) and not line.startswith(b'{"part":"summary"'):
                stream, revision, is_last = expected[at]
                bundle.events[stream].append(read_event(bundle, line, stream, revision, is_last))
                at += 1
                continue
            if at < len(expected):
                bundle.faults.append(f"line {number}: events of {expected[at][0]} are missing")
            bundle.summary = parse_summary(as_text(line))
            if bundle.summary is None:
                bundle.faults.append(f"line {number}: another line, expected the summary")
            part = "end"
        elif part == "end":
            if parse_end(as_text(line)) != number - 1:
                bundle.faults.append(f"line {number}: another line, expected the end after {number - 1} lines")
            part = "after"
        else:
            bundle.faults.append(f"line {number}: more lines after the end")
    if rest:
        bundle.faults.append("bytes after the last line feed")
    if part != "after":
        bundle.faults.append("the file ends too early")
    return bundle
