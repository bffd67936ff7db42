"""The page for people: a pure function of the events that tell their place in the log, in the order of the file."""

import re

import canonical

MOST = 2_000
# Controls, and what is invisible or turns the direction.
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]+"
)


class Missing:
    """What an event does not hold at all."""


def plain(value, most=MOST):
    """One line of plain text. What is no text is shown as JSON; control and invisible characters become a space."""
    if value is Missing:
        text = "nothing"
    elif isinstance(value, str):
        text = "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in value)
    else:
        try:
            text = canonical.dumps(value)
        except (canonical.NotJson, RecursionError):
            text = "what can not be written"
    return HIDDEN.sub(" ", text)[:most]


def at(value, *path):
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return Missing
        value = value[key]
    return value


def finding_lines(name, bodies):
    lines = [f"Finding {plain(name)}"]
    for body in bodies:
        data, when = body["data"], plain(at(body, "metadata", "time"), 40)

        def show(*path):
            return plain(at(data, *path))

        match body["type"]:
            case "FindingProposed":
                lines += [
                    f"  claimed {when}: {show('statement')}",
                    f"  estimate {show('claim', 'estimate')}, interval {show('claim', 'interval', 'lower')}"
                    f" to {show('claim', 'interval', 'upper')} at level {show('claim', 'interval', 'level')},"
                    f" n = {show('claim', 'n')}",
                    f"  from tree {show('chain', 'fromTree')} to tree {show('chain', 'toTree')}"
                    f" of run {show('chain', 'runId')}",
                    f"  source commit {show('chain', 'sourceCommit')}, tree {show('chain', 'sourceTree')}",
                ]
            case "FindingVerified":
                lines.append(f"  verified by the operator {when}: {show('verdict')}")
            case "FindingReviewed":
                lines.append(f"  reviewed {when}: {show('decision')}")
            case "FindingAccepted":
                lines.append(f"  accepted {when}: tree {show('tree')}")
            case "FindingDiscarded":
                lines.append(f"  discarded {when}")
            case "AcceptedLineReverted":
                lines.append(f"  the accepted line went back {when} to tree {show('toTree')}")
            case "VerificationRequested":
                lines.append(f"  verification asked for {when}")
            case "FindingReplayed":
                lines.append(f"  trained again by the operator {when}: {show('class')}")
    return lines


def run_lines(name, bodies):
    lines = [f"Run {plain(name)}"]
    for body in bodies:
        data, when = body["data"], plain(at(body, "metadata", "time"), 40)

        def show(*path):
            return plain(at(data, *path))

        match body["type"]:
            case "RunOpened":
                lines += [
                    f"  opened {when}, number {show('number')} of study {show('studyId')}:"
                    f" {show('policy', 'study', 'title')}",
                    f"  pinned: commit {show('pins', 'commit')}, tree {show('pins', 'tree')},"
                    f" data {show('pins', 'dataDigest')}, policy {show('pins', 'policyDigest')}",
                ]
                if data.get("forkedFrom") is not None:
                    lines.append(
                        f"  forked from run {show('forkedFrom', 'runId')} after {show('forkedFrom', 'mutationId')}"
                    )
            case "LoopEnded":
                lines.append(
                    f"  the loop ended {when} ({show('reason')}): {show('spent')} of {show('total')} units spent"
                )
            case "RunHalted":
                lines.append(f"  halted {when}: {show('message')}")
            case "RunClosed":
                lines.append(f"  closed {when}")
    return lines


def text(subject, bundle):
    """The summary that a bundle's events give."""
    told = {
        stream: [event.body for event in events if event.placed and event.body is not None]
        for stream, events in bundle.events.items()
    }
    lines = [f"Holdfast bundle of {subject['kind']} {plain(subject['id'])}", ""]
    for prefix, show in (("finding-", finding_lines), ("run-", run_lines)):
        for stream, bodies in told.items():
            if stream.startswith(prefix) and bodies:
                lines += [*show(stream[len(prefix) :], bodies), ""]
    lines += [
        "What a bundle proves is how a finding was reached, not that it is true. Times are the operator\u2019s own.",
        "",
    ]
    return "\n".join(lines)
