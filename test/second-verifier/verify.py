#!/usr/bin/env python3
"""
A second verifier of Holdfast bundles: Python's standard library alone, written from docs/reference/bundle-format.md.
It checks the core of what the first one checks, and answers in JSON: a verdict, and rows with found and expected.

    python3 verify.py BUNDLE --key VKEY [--witness VKEY]... [--seen CHECKPOINT]

ends with 0 where all rows hold, 1 on BLOCK, 2 where the file is no bundle or the key none. With --lines it reads
requests from standard input instead, one JSON object a line, and answers each with a line:

    {"bundle": PATH or "base64": BYTES, "key": VKEY, "witnesses": [VKEY], "seen": TEXT or null}
"""

import argparse
import base64
import json
import sys
from datetime import datetime, timezone

import bundle as form
import finding
import merkle
import notary as notaries
import notes
import summary


def row(name, faults, good, expected):
    found = "; ".join(faults[:12]) if faults else good
    return {"row": name, "passed": not faults, "found": found, "expected": expected}


def refused(message):
    return {"verdict": "REFUSED", "found": message, "rows": [], "findings": []}


def form_faults(bundle):
    faults = list(bundle.faults)
    for each in bundle.header["streams"]:
        events = bundle.events[each["stream"]]
        is_whole = len(events) == each["events"] and events[-1].kind is not None
        if not is_whole or events[-1].hash != each["head"]:
            faults.append(f"the last event of {each['stream']} does not hash to the header's head")
    unread = [oid for oid in bundle.objects if oid not in bundle.asked]
    if unread:
        faults.append(f"{len(unread)} objects that nothing asks for, {unread[0]} among them")
    return faults


def placed_events(bundle):
    for events in bundle.events.values():
        for event in events:
            if event.placed:
                yield event


def inclusion_faults(bundle, newest):
    """Each placed event is the leaf that it says, in the tree of the newest checkpoint."""
    faults = []
    size = newest["size"] if newest else 0
    root = notes.base64_bytes(newest["root"]) if newest else b""
    for event in placed_events(bundle):
        leaf = event.leaf
        if leaf is None or not merkle.includes(
            leaf.index, size, merkle.leaf_hash(bytes.fromhex(event.hash)), root, leaf.proof
        ):
            faults.append(f"{event.kind}, event {event.revision} of {event.stream}, is not shown to be a leaf")
    return faults


def heads_faults(bundle, newest):
    """Each stream ends where the newest checkpoint says."""
    heads = newest.get("heads") if newest else None
    if heads is None:
        return ["no newest checkpoint that commits to the heads of streams"]
    faults, root = [], notes.base64_bytes(heads["root"])
    for each in bundle.header["streams"]:
        stream, events = each["stream"], bundle.events[each["stream"]]
        if stream == form.NOTARY:
            continue
        is_whole = len(events) == each["events"] and events[0].kind is not None and events[-1].kind is not None
        place = each["heads"]
        if not is_whole or not merkle.includes(
            place["index"],
            heads["streams"],
            merkle.head_hash(stream, events[0].hash, each["events"] - 1, events[-1].hash),
            root,
            [notes.base64_bytes(hash) for hash in place["proof"]],
        ):
            faults.append(f"{stream} is not shown to end with its event {each['events'] - 1}")
    return faults


def order_faults(bundle, newest):
    faults, taken, last = [], set(), {}
    for event in placed_events(bundle):
        if event.leaf is None:
            continue
        index, what = event.leaf.index, f"event {event.revision} of {event.stream}"
        if index in taken:
            faults.append(f"{what} is leaf {index}, as another event is")
        taken.add(index)
        if last.get(event.stream, -1) >= index:
            faults.append(f"{what} is leaf {index}, after leaf {last[event.stream]} of the same stream")
        last[event.stream] = index
        if newest is None:
            continue
        said = newest["newest"] if isinstance(newest["newest"], dict) else {}
        is_said = (said.get("stream"), said.get("revision"), said.get("hash")) == (
            event.stream,
            event.revision,
            event.hash,
        )
        if (index == newest["size"] - 1) != is_said:
            faults.append(f"{what} is leaf {index}, and the newest leaf is another event than the notary says")
    return faults


def anchor_faults(notary, witnesses):
    """Cosignatures under the name of a witness that the auditor knows are that witness's own."""
    faults, seen = [], []
    if notary.newest is None:
        return faults, seen
    text = notes.parse_note(notary.newest["note"]).text
    names = [key.name for key in witnesses]
    for anchor in notary.anchors:
        if anchor["kind"] != "witness":
            continue
        try:
            signed = notes.signers(notes.parse_note(f"{text}\n{anchor['evidence']}\n"), witnesses)
            times = [seconds for key, seconds in signed if key.name == anchor["by"] and seconds is not None]
            if not times:
                raise notes.Malformed("found a cosignature of another")
            time = datetime.fromtimestamp(times[0], timezone.utc).isoformat()
            seen.append(f"{anchor['by']} at {time}")
        except notes.Malformed as error:
            if anchor["by"] in names:
                faults.append(f"the cosignature of {anchor['by']}: {error}")
    return faults, seen


def seen_faults(notary, note, checkpoint):
    if checkpoint.origin != notary.origin:
        return [f"you saw a checkpoint of {checkpoint.origin}, this is {notary.origin}"]
    try:
        notes.signers(note, notary.keys)
    except notes.Malformed as error:
        return [f"the checkpoint that you saw: {error}"]
    newest = notary.newest["size"] if notary.newest else 0
    if checkpoint.size > newest:
        return [f"you saw {checkpoint.size} events, this bundle ends at {newest}: ask for a newer one"]
    if notary.roots.get(checkpoint.size) != checkpoint.root:
        return [f"you saw another tree of {checkpoint.size} events: two histories were shown"]
    return []


def claims(bundle):
    """What each finding of the bundle says of itself first, as far as it says what is needed: by number."""
    found = []
    for stream, events in bundle.events.items():
        first = events[0] if stream.startswith("finding-") and events and events[0].placed else None
        if first is None or first.body is None or first.body["type"] != "FindingProposed":
            continue
        data = first.body["data"]
        said = data.get("chain")
        if not isinstance(said, dict) or not isinstance(said.get("mutations"), list):
            continue
        if not all(isinstance(said.get(name), str) for name in ("runId", "studyId", "toTree")):
            continue
        number = data.get("number")
        found.append((number if isinstance(number, (int, float)) else float("inf"), stream[len("finding-") :], data))
    return sorted(found, key=lambda each: each[0])


def streams_of(data):
    said = data["chain"]
    look = data["claim"].get("look") if isinstance(data.get("claim"), dict) else None
    names = [f"run-{said['runId']}", f"study-{said['studyId']}"]
    return names + ([f"data-{look['dataDigest']}"] if isinstance(look, dict) and "dataDigest" in look else [])


def subject_and_findings(bundle):
    """The findings that the bundle is about, verified; and whether it holds their streams and no others."""
    faults, subject, claimed = [], bundle.header["subject"], claims(bundle)
    by_id = {name: data for _, name, data in claimed}
    read = {form.NOTARY}

    def look_at(name):
        read.update([f"finding-{name}", *(streams_of(by_id[name]) if name in by_id else ())])

    def ancestor_of(fork):
        for _, name, data in claimed:
            said = data["chain"]
            if (said["runId"], said["toTree"], (said["mutations"] or [None])[-1]) == (
                fork["runId"],
                fork["tree"],
                fork["mutationId"],
            ):
                # A fork's own row says only whether its rows hold: they are shown after the subject's.
                if name not in shown:
                    shown.append(name)
                return name
        return None

    is_finding = subject["kind"] == "finding"
    of_run = [name for _, name, data in claimed if data["chain"]["runId"] == subject["id"]]
    ids = [subject["id"]] if is_finding else of_run
    findings, shown = [], list(ids)
    for name in shown:
        look_at(name)
        _, rows = finding.rows(bundle, name, ancestor_of)
        verdict = "PASS" if all(each["passed"] for each in rows) else "BLOCK"
        findings.append({"findingId": name, "verdict": verdict, "rows": rows})

    asked = set(read)
    if is_finding and subject["id"] not in by_id:
        faults.append(f"no claim of finding {subject['id']}")
    if not is_finding:
        run = [event for event in bundle.events.get(f"run-{subject['id']}", []) if event.body]
        opened = next((event.body["data"] for event in run if event.kind == "RunOpened" and event.placed), None)
        if opened is None:
            faults.append(f"no opening of run {subject['id']}")
        pins = opened.get("pins") if opened else None
        digest = pins.get("dataDigest") if isinstance(pins, dict) else None
        study = f"study-{opened and opened.get('studyId')}"
        asked |= {f"run-{subject['id']}", study, f"data-{digest}"}
        if study not in bundle.events:
            faults.append(f"{study} is not here")
        # The first one closed it: none that comes after takes a finding back.
        closed = next((event.body["data"].get("findings") for event in run if event.kind == "RunClosed"), [])
        for each in closed if isinstance(closed, list) else [closed]:
            if not isinstance(each, dict) or each.get("findingId") not in ids:
                faults.append("the run closed with a finding that is not here")
    for stream, events in bundle.events.items():
        if stream not in asked:
            faults.append(f"{stream} is here, which nothing asks for")
        if stream not in read:
            faults += chain_faults(stream, events)
    return faults, findings


def chain_faults(stream, events):
    prev = None
    for revision, event in enumerate(events):
        body = event.body or {"metadata": {}}
        if (body.get("stream"), body.get("revision"), body["metadata"].get("prev")) != (stream, revision, prev):
            return [f"event {revision} of {stream} does not follow the one before it"]
        prev = event.hash
    return []


def verify(data, key, witnesses=(), seen=None):
    """Verifies the bytes of a bundle with the log's verifier key."""
    try:
        trusted = notes.parse_key(key)
        known = [notes.parse_key(each) for each in witnesses]
        if trusted.kind != notes.LOG or any(each.kind != notes.WITNESS for each in known):
            return refused("a key of another kind")
        seen_note = None if seen is None else notes.parse_note(seen)
        seen_checkpoint = None if seen is None else notes.parse_checkpoint(seen_note.text)
        bundle = form.read(data)
    except (notes.Malformed, form.NoBundle) as error:
        return refused(str(error))
    if bundle.header is None:
        rows = [row("bundle-form", bundle.faults, "", "a bundle of version 1")]
        return {"verdict": "BLOCK", "rows": rows, "findings": []}

    subject, findings = subject_and_findings(bundle)
    notary = notaries.read(bundle.events[form.NOTARY])
    newest = notary.newest
    checkpoints = [notary.fault] if notary.fault else []
    if newest is None:
        checkpoints.append("no checkpoint")
    if notary.alarm is not None:
        checkpoints.append(f"an alarm stands: {notary.alarm['reason']}")
    vouched = f"; accepted by a person against the rules: {'; '.join(notary.accepted)}" if notary.accepted else ""
    checkpoints_said = f"{len(notary.roots)} checkpoints{vouched}"
    keys = [each.text for each in notary.keys]
    log_key = [] if notary.origin == bundle.header["origin"] else [f"the log {notary.origin}"]
    if key not in keys:
        log_key.append(f"signed with {', then '.join(keys) or 'no key'}")
    anchors, sightings = anchor_faults(notary, known)
    text = summary.text(bundle.header["subject"], bundle)
    rows = [
        row("bundle-form", form_faults(bundle), f"{bundle.lines} lines", "each line as written, in its place"),
        row("subject", subject, f"{len(findings)} findings", "the streams of the subject, and no others"),
        row("checkpoints", checkpoints, checkpoints_said, "each signed, extending the one before"),
        row("log-key", log_key, ", then ".join(keys), f"a log that {key} signs"),
        row("anchors", anchors, ", ".join(sightings) or "nobody", "cosignatures by those whose name they bear"),
        row("inclusion", inclusion_faults(bundle, newest), "in the tree", "each placed event is the leaf that it says"),
        row("heads", heads_faults(bundle, newest), "the heads", "each stream ends where the newest checkpoint says"),
        row("order", order_faults(bundle, newest), "in order", "leaves in order, each taken once, the newest as said"),
        row("summary", [] if bundle.summary == text else ["another text"], "the text", "the text that the events give"),
    ]
    if seen is not None:
        faults = seen_faults(notary, seen_note, seen_checkpoint)
        rows.insert(7, row("seen-checkpoint", faults, "of this log", "the checkpoint that was seen is of this log"))
    holds = all(each["passed"] for each in rows) and all(each["verdict"] == "PASS" for each in findings)
    return {"verdict": "PASS" if holds else "BLOCK", "rows": rows, "findings": findings}


def answer(request):
    if "base64" in request:
        data = base64.b64decode(request["base64"])
    else:
        with open(request["bundle"], "rb") as file:
            data = file.read()
    return verify(data, request["key"], request.get("witnesses") or (), request.get("seen"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?")
    parser.add_argument("--key")
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--seen", help="a file that holds a signed checkpoint")
    parser.add_argument("--lines", action="store_true", help="answer requests from standard input")
    given = parser.parse_args()
    if given.lines:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
        return 0
    if given.bundle is None or given.key is None:
        parser.error("a bundle and --key are needed")
    seen = None
    if given.seen is not None:
        with open(given.seen, encoding="utf-8", newline="") as file:
            seen = file.read()
    verdict = answer({"bundle": given.bundle, "key": given.key, "witnesses": given.witness, "seen": seen})
    print(json.dumps(verdict, indent=2))
    return {"PASS": 0, "BLOCK": 1, "REFUSED": 2}[verdict["verdict"]]


if __name__ == "__main__":
    sys.exit(main())
