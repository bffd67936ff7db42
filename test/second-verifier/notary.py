"""
The stream `notary`: which keys signed the log, and the chain of its checkpoints. Each event is decided again; the
first that does not hold ends the reading, since nothing after it can be held against anything.
"""

import base64
import re

import merkle
import notes
from notes import Malformed

MEMBERS = {
    "NotaryOpened": ("origin", "verifierKey"),
    "NotaryKeyRotated": ("from", "note", "to"),
    "CheckpointSigned": ("extendsLast", "follows", "heads", "newest", "note", "root", "size"),
    "CheckpointAnchored": ("by", "evidence", "kind", "root", "size"),
    "NotaryAlarmRaised": ("append", "expected", "found", "reason", "size"),
    "NotaryAlarmSettled": ("accepts", "alarm", "note", "reason"),
}

# Version 1 of these: it committed to the tree alone, and nobody could accept an append.
FIRST = {
    "CheckpointSigned": ("extendsLast", "newest", "note", "root", "size"),
    "NotaryAlarmRaised": ("expected", "found", "reason", "size"),
    "NotaryAlarmSettled": ("reason",),
}
VERSIONS = {(kind, 2 if kind in FIRST else 1): members for kind, members in MEMBERS.items()}
VERSIONS |= {(kind, 1): members for kind, members in FIRST.items()}

# Of the members those that are texts.
TEXTS = {
    "NotaryOpened": ("origin", "verifierKey"),
    "NotaryKeyRotated": ("from", "note", "to"),
    "CheckpointSigned": ("note", "root"),
    "CheckpointAnchored": ("by", "evidence", "kind", "root"),
    "NotaryAlarmRaised": ("expected", "found", "reason"),
    "NotaryAlarmSettled": (),
}


def is_leaf(value):
    return (
        isinstance(value, dict)
        and isinstance(value.get("stream"), str)
        and isinstance(value.get("revision"), (int, float))
        and not isinstance(value["revision"], bool)
        and isinstance(value.get("hash"), str)
    )


class Notary:
    def __init__(self):
        self.origin = None
        self.keys = []
        # Data of the newest CheckpointSigned, when it says that it was signed, and who else has seen it.
        self.newest = None
        self.signed_at = None
        self.anchors = []
        # Root by size of every checkpoint.
        self.roots = {}
        # Data and revision of the alarm that stands, and the appends that people vouched for.
        self.alarm = None
        self.alarm_revision = None
        self.accepted = []
        self.fault = None


def signing_key(notary, text):
    key = notes.parse_key(text)
    if key.name != notary.origin or key.kind != notes.LOG:
        raise Malformed(f"found a key of {key.name}, expected one of the log {notary.origin}")
    return key


def signed_by_all(note, keys):
    found = [key for key, _ in notes.signers(note, keys)]
    if any(key not in found for key in keys):
        raise Malformed("found no signature of one of the keys")


def opened(notary, data):
    if notary.origin is not None:
        raise Malformed("opened twice")
    if not notes.is_key_name(data["origin"]):
        raise Malformed("found an origin that is no key name")
    notary.origin = data["origin"]
    notary.keys.append(signing_key(notary, data["verifierKey"]))


def rotated(notary, data):
    """Both keys sign that the second follows the first."""
    before, after = signing_key(notary, data["from"]), signing_key(notary, data["to"])
    if before != notary.keys[-1] or before == after:
        raise Malformed("a change from another key than the one that signs")
    note = notes.parse_note(data["note"])
    if note.text != f"holdfast/notary-key-rotation/v1\n{notary.origin}\nfrom {before.text}\nto {after.text}\n":
        raise Malformed("another text signed")
    signed_by_all(note, [before, after])
    notary.keys.append(after)


def is_sealed(text):
    """Whether what a person wrote is sealed: a key's name, a nonce, 1 to 900 encrypted bytes and their tag of 16."""
    if not isinstance(text, dict) or sorted(text) != ["ciphertext", "keyId", "kind", "nonce"]:
        return False
    secret = notes.base64_bytes(text["ciphertext"])
    return (
        text["kind"] == "sealed"
        and re.fullmatch(r"text-[0-9a-f]{32}", text["keyId"]) is not None
        and re.fullmatch(r"[A-Za-z0-9+/]{16}", text["nonce"]) is not None
        and secret is not None
        and 17 <= len(secret) <= 916
    )


def is_count(value, least):
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 2**53 - 1


def commitment(data, before):
    """The lines of a checkpoint that commit to the heads of all streams, and to the notary's event before it."""
    heads, follows = data.get("heads"), data.get("follows")
    if heads is None and follows is None:
        return ""
    root = notes.base64_bytes(heads["root"])
    is_whole = is_count(heads["streams"], 1) and heads["streams"] <= data["size"] and root is not None
    if not is_whole or len(root) != 32 or not is_count(follows["revision"], 0):
        raise Malformed("a commitment that is not one")
    if (follows["revision"], follows["hash"]) != before:
        raise Malformed(f"commits to event {follows['revision']} of the notary, which is not the one before it")
    own = base64.b64encode(bytes.fromhex(follows["hash"])).decode()
    return f"heads {heads['streams']} {heads['root']}\nnotary {follows['revision']} {own}\n"


def checkpoint_signed(notary, data, body):
    """The key that signs now signed this size and root, and the tree begins with that of the last checkpoint."""
    size, root, last = data["size"], data["root"], notary.newest
    if last is not None and (size, root) == (last["size"], last["root"]):
        raise Malformed("repeats the last checkpoint")
    if notary.alarm is not None:
        raise Malformed("nothing is signed while an alarm stands")
    note = notes.parse_note(data["note"])
    signed_by_all(note, [notary.keys[-1]])
    said = notes.parse_checkpoint(note.text)
    before = (body["revision"] - 1, body["metadata"]["prev"])
    lines = commitment(data, before)
    if lines == "" and last is not None and last.get("heads") is not None:
        raise Malformed("commits to no heads of streams, as the last one did")
    if note.text != f"{notary.origin}\n{size}\n{root}\n{lines}" or said.size < 1 or isinstance(size, bool):
        raise Malformed("a note of another tree than the event says")
    proof = data["extendsLast"]
    hashes = [notes.base64_bytes(each) for each in proof]
    if last is None:
        if proof:
            raise Malformed("a consistency proof, where nothing was signed before")
    elif None in hashes or not merkle.extends(
        last["size"], notes.base64_bytes(last["root"]), size, said.root, hashes
    ):
        raise Malformed(f"{size} leaves are not shown to begin with the {last['size']} that were signed")
    notary.newest, notary.anchors = data, []
    notary.signed_at = body["metadata"].get("time")
    notary.roots[size] = said.root


def anchored(notary, data):
    last = notary.newest
    if isinstance(data["size"], bool):
        raise Malformed("an anchor of no size")
    if data["kind"] not in ("witness", "timestamp", "git-tag"):
        raise Malformed("an anchor of another kind")
    if last is None or (last["size"], last["root"]) != (data["size"], data["root"]):
        raise Malformed("an anchor of another checkpoint than the last")
    if any((each["kind"], each["by"]) == (data["kind"], data["by"]) for each in notary.anchors):
        raise Malformed("repeats an anchor")
    notary.anchors.append(data)


def is_append(value):
    return (
        isinstance(value, dict)
        and sorted(value) == ["from", "hash", "stream", "to"]
        and isinstance(value["stream"], str)
        and value["stream"] != ""
        and "\n" not in value["stream"]
        and is_count(value["from"], 0)
        and is_count(value["to"], value["from"])
        and isinstance(value["hash"], str)
        and re.fullmatch(r"[0-9a-f]{64}", value["hash"]) is not None
    )


def alarm_raised(notary, data, body):
    if notary.alarm is not None:
        raise Malformed("an alarm stands already")
    append = data.get("append")
    if append is not None and not (data["reason"] == "not-decided" and is_append(append)):
        raise Malformed("an append in an alarm that is about none")
    notary.alarm, notary.alarm_revision = data, body["revision"]


def alarm_settled(notary, data, body):
    """A person settles the alarm that stands, and may vouch for the append that it is about, and for no other."""
    if notary.alarm is None or not is_sealed(data["reason"]):
        raise Malformed("no alarm stands, or no reason is given")
    alarm, accepts, actor = data.get("alarm"), data.get("accepts"), body["metadata"]["actor"]
    if alarm is not None and (isinstance(alarm, bool) or alarm != notary.alarm_revision):
        raise Malformed(f"settles alarm {alarm}, which does not stand")
    if accepts is not None:
        if alarm is None or not is_append(accepts) or accepts != notary.alarm.get("append"):
            raise Malformed("accepts another append than the alarm is about")
        if actor["role"] != "operator":
            raise Malformed("accepted by no operator")
        first, last, own = accepts["from"], accepts["to"], accepts["hash"]
        who = f"{actor['role']} {actor['id']}"
        note = notes.parse_note(data["note"])
        if note.text != (
            f"holdfast/notary-acceptance/v1\n{notary.origin}\nalarm {notary.alarm_revision}\n"
            f"append {first} {last} {own} {accepts['stream']}\nby {who}\n"
        ):
            raise Malformed("another text signed")
        signed_by_all(note, [notary.keys[-1]])
        where = f"{accepts['stream']}@{first}" + ("" if first == last else f"-{last}")
        notary.accepted.append(f"{where} ({own}) by {who}, {body['metadata']['time']}")
    elif data.get("note") is not None:
        raise Malformed("a note about no append")
    notary.alarm = None


def decide(notary, body):
    kind, data, metadata = body["type"], body["data"], body["metadata"]
    if not all(isinstance(each, str) for each in (metadata["actor"]["role"], metadata["actor"]["id"], metadata["time"])):
        raise Malformed("does not say who recorded it, and when")
    version = metadata.get("schemaVersion")
    # True and 1 are equal in Python, and are not in JSON.
    members = None if isinstance(version, bool) else VERSIONS.get((kind, version))
    if members is None or sorted(data) != list(members):
        raise Malformed("no event that a notary writes")
    if not all(isinstance(data[name], str) for name in TEXTS[kind]):
        raise Malformed("no event that a notary writes: what should be text is none")
    if kind == "CheckpointSigned" and not is_leaf(data["newest"]):
        raise Malformed("does not say which event is the newest leaf")
    if kind != "NotaryOpened" and notary.origin is None:
        raise Malformed("no key signs this log yet")
    match kind:
        case "NotaryOpened":
            opened(notary, data)
        case "NotaryKeyRotated":
            rotated(notary, data)
        case "CheckpointSigned":
            checkpoint_signed(notary, data, body)
        case "CheckpointAnchored":
            anchored(notary, data)
        case "NotaryAlarmRaised":
            alarm_raised(notary, data, body)
        case "NotaryAlarmSettled":
            alarm_settled(notary, data, body)


def read(events):
    """Reads the notary's stream from its first event on."""
    notary, prev = Notary(), None
    for event in events:
        body = event.body
        try:
            if event.kind is None:
                return notary
            if body is None:
                raise Malformed("no event")
            if (body.get("stream"), body.get("revision"), body["metadata"].get("prev")) != (
                "notary",
                event.revision,
                prev,
            ):
                raise Malformed("does not follow the one before it")
            decide(notary, body)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notary.fault = f"event {event.revision} of the notary: {error}"
            return notary
        prev = event.hash
    return notary
