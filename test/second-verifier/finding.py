"""
A finding: the core of what its streams and objects have to show. Every check answers what is wrong; nothing wrong is
a row that holds. The other rows of a verdict (charges, monitor, gates, …) are not looked at here.

Each check is given the whole Chain. One that trips over what an event says (a member that is missing, text where a
number should be) does not hold: `rows` sees to that.
"""

import hashlib
import math

import canonical
import ed25519
from git_objects import FILES, FOLDER, commit_parents, commit_tree, object_id, tree_entries
from notes import base64_bytes

DEEPEST_FORK = 32
# Types of each stream, with the newest version of each (docs/reference/events.md).
TYPES = {
    "run": {
        "RunOpened": 2, "GatePassed": 1, "RunHalted": 2, "CohortsServed": 1, "TrainingLaunched": 1,
        "WorkerEnlisted": 1, "TrainingCompleted": 1, "TrainingFailed": 2, "TrainingTimedOut": 1, "MetricObserved": 2,
        "BaselineEstablished": 1, "HypothesisProposed": 1, "MutationProposed": 2, "ProposalRefused": 1,
        "SecondaryMetricProposed": 1, "RestorePointTaken": 1, "MutationCutOver": 1, "MutationReverted": 2,
        "FairnessMeasured": 2, "MutationKept": 2, "RunReverted": 2, "LoopEnded": 2, "RunHeadSigned": 1,
        "RunClosed": 1, "BudgetCharged": 1, "BudgetExhausted": 1, "DivergenceDetected": 2,
    },
    "study": dict.fromkeys(
        ("StudyRegistered", "StudyPlaced", "SplitCommitted", "RunRequested", "RunCounted", "RunRefused",
         "SealedRowsOpened", "SpendCounted"), 1),
    "finding": {
        "FindingProposed": 2, "FindingVerified": 1, "VerificationRequested": 1, "FindingDiscarded": 1,
        "AcceptedLineReverted": 1, "FindingReviewed": 2, "FindingAccepted": 1, "FindingReplayed": 1,
    },
    "data": dict.fromkeys(("SplitFixed", "TableFixed", "LookCounted"), 1),
}  # fmt: skip


def read_data(source, body):
    """
    The data of an event in the newest version of its type, as far as a check here asks for what is new in it; None for
    bytes that are no event of a type and a version that this stream can hold.
    """
    version = body and body["metadata"].get("schemaVersion")
    if not isinstance(version, int) or isinstance(version, bool):
        return None
    if not 1 <= version <= TYPES[source].get(body["type"], 0):
        return None
    data = body["data"]
    if version > 1:
        return data
    try:
        match body["type"]:
            case "RunOpened":
                return {**data, "forkedFrom": None}
            case "RunReverted":
                # There always was a candidate, undone last.
                return {**data, "mutationId": data["undone"][-1] if data["undone"] else None}
            case "FindingProposed":
                return {**data, "claim": {**data["claim"], "look": None}}
    except (TypeError, LookupError):
        return None
    return data


class Chain:
    """A finding's streams, and where its checks find what else they need."""

    def __init__(self, bundle, finding_id, ancestor):
        self.bundle = bundle
        self.ancestor = ancestor
        self.finding = finding_id
        self.proposed = first_data(bundle, finding_id)
        chain = self.proposed["chain"]
        look = self.proposed["claim"]["look"]
        self.names = {
            "finding": f"finding-{self.proposed['findingId']}",
            "study": f"study-{chain['studyId']}",
            **({} if look is None else {"data": f"data-{look.get('dataDigest', '')}"}),
            "run": f"run-{chain['runId']}",
        }
        self.streams = {
            "finding": bundle.events.get(f"finding-{finding_id}", []),
            **{source: bundle.events.get(name, []) for source, name in self.names.items() if source != "finding"},
        }

    def of(self, source, *kinds):
        """The stream's events of these types (of all that are known, where none is named), with their places."""
        for place, event in enumerate(self.streams.get(source, [])):
            data = read_data(source, event.body)
            if data is not None and (not kinds or event.body["type"] in kinds):
                yield place, event, data

    def opened(self):
        for _, _, data in self.of("run", "RunOpened"):
            return data
        raise ValueError("the run has no RunOpened")

    def origin(self):
        """The commit and tree that the run started from."""
        opened = self.opened()
        fork, pins = opened["forkedFrom"], opened["pins"]
        return (pins["pinCommit"], pins["tree"]) if fork is None else (fork["commit"], fork["tree"])


def first_data(bundle, finding_id):
    """The data of the finding's FindingProposed."""
    events = bundle.events.get(f"finding-{finding_id}", [])
    body = events[0].body if events else None
    data = read_data("finding", body)
    if data is None or body["type"] != "FindingProposed":
        raise ValueError("the finding stream does not start with FindingProposed")
    return data


class Faults(list):
    def differ(self, what, found, expected):
        # True and 1 are equal in Python, and are not in JSON.
        if found != expected or isinstance(found, bool) != isinstance(expected, bool):
            self.append(f"{what} is {found}, expected {expected}")


def signed(public_key, context, value, signature):
    """Whether this key signed the value in this context."""
    key, data = base64_bytes(public_key), base64_bytes(signature["value"])
    if key is None or len(key) != 32 or data is None or len(data) != 64:
        return False
    if signature["keyId"] != hashlib.sha256(key).hexdigest()[:16]:
        return False
    message = f"holdfast/{context}/v1\n".encode() + canonical.encoded(value)
    return ed25519.verify(key, message, data)


def hash_chain(chain):
    faults = Faults()
    for source, name in chain.names.items():
        prev = None
        for place, event in enumerate(chain.streams[source]):
            body = event.body
            if body is None:
                faults.append(f"{name}, event {place}: the bytes are no event")
            else:
                faults.differ(f"{name}, event {place}: stream", body.get("stream"), name)
                faults.differ(f"{name}, event {place}: revision", body.get("revision"), place)
                faults.differ(f"{name}, event {place}: prev", body["metadata"].get("prev"), prev)
            prev = event.hash
        if not chain.streams[source]:
            faults.append(f"{name} has no events")
    return faults


def known_events(chain):
    faults = Faults()
    for source, events in chain.streams.items():
        for place, event in enumerate(events):
            if read_data(source, event.body) is None:
                faults.append(f"event {place} of the {source} is of no known type and version")
    return faults


def run_head_signed(chain):
    """The loop ends where the finding says, and the runner signed that."""
    faults = Faults()
    head, run_id = chain.proposed["chain"]["runHead"], chain.proposed["chain"]["runId"]
    key = chain.opened()["keys"]["runner"]["publicKey"]
    found = is_signed = False
    for place, event, data in chain.of("run"):
        kind = event.body["type"]
        if place == head["revision"]:
            found = True
            faults.differ("the hash of the run head", event.hash, head["hash"])
            faults.differ("the event at the run head", kind, "LoopEnded")
        elif place > head["revision"] and kind not in ("RunHeadSigned", "RunClosed"):
            faults.append(f"{kind} comes after the run head")
        if kind == "RunHeadSigned":
            attested = {"runId": run_id, "revision": data["revision"], "hash": data["hash"]}
            if not signed(key, "run-head", attested, data["signature"]):
                faults.append(f"the signature in event {place} does not hold")
            elif (data["revision"], data["hash"]) == (head["revision"], head["hash"]):
                is_signed = True
    if not found:
        faults.append("the chain ends before the run head")
    if not is_signed:
        faults.append("the run head is not signed")
    return faults


def inspect(chain, faults, kind, oid, what):
    """The content of an object that is there, of this type, and hashes to its name; None otherwise."""
    found = chain.bundle.read_object(oid)
    if found is None:
        faults.append(f"{what} ({kind} {oid}) is absent")
    elif found.content is None or found.kind != kind or object_id(kind, found.content) != oid:
        faults.append(f"{what} ({kind} {oid}) is altered")
    else:
        return found.content
    return None


def source_pinned(chain):
    """From the source commit's own bytes, tree by tree, down to the pinned tree of the program."""
    faults = Faults()
    for place, _, data in chain.of("run", "RunOpened"):
        if place > 0:
            faults.append(f"RunOpened is event {place}")
        faults.differ("the run", data["runId"], chain.proposed["chain"]["runId"])
        faults.differ("the study", data["studyId"], chain.proposed["chain"]["studyId"])
    pins = chain.opened()["pins"]
    faults.differ("the finding's source commit", chain.proposed["chain"]["sourceCommit"], pins["commit"])
    faults.differ("the finding's source tree", chain.proposed["chain"]["sourceTree"], pins["tree"])
    files = {}
    proof = inspect(chain, faults, "tree", pins["proof"], "the source proof")
    for entry in tree_entries(proof or b"") or []:
        content = inspect(chain, faults, "blob", entry.oid, f"{entry.name} of the source proof")
        if content is not None:
            files[entry.name] = content
    pin = inspect(chain, faults, "commit", pins["pinCommit"], "the pin commit")
    if pin is not None:
        faults.differ("the pin commit's tree", commit_tree(pin), pins["tree"])
    commit = files.get("commit")
    if commit is None:
        faults.append("the source commit is absent from the source proof")
        return faults
    faults.differ("the source commit", object_id("commit", commit), pins["commit"])
    expected = commit_tree(commit)
    for depth, part in enumerate(pins["path"].split("/")):
        tree = files.get(f"tree-{depth}")
        if tree is None:
            faults.append(f"tree-{depth} is absent from the source proof")
            return faults
        faults.differ(f"the hash of tree-{depth}", object_id("tree", tree), expected)
        folders = [entry.oid for entry in tree_entries(tree) or [] if entry.name == part and entry.mode == FOLDER]
        if not folders:
            faults.append(f"the source commit has no folder {part}")
            return faults
        expected = folders[0]
    faults.differ("the tree of the program in the source commit", expected, pins["tree"])
    return faults


def pinned_digest(value):
    return hashlib.sha256(canonical.encoded(value)).hexdigest()


def environment_pinned(chain):
    faults, opened = Faults(), chain.opened()
    faults.differ("the environment", opened["pins"]["environmentDigest"], pinned_digest(opened["environment"]))
    return faults


def policy_pinned(chain):
    """The policy, as it was written, is the pinned one, and every gate was passed under it."""
    faults = Faults()
    for _, event, data in chain.of("run", "RunOpened"):
        written = event.body["data"]["policy"]
        faults.differ("the policy", data["pins"]["policyDigest"], pinned_digest(written))
        version = 1 if event.body["metadata"]["schemaVersion"] == 1 else 2
        faults.differ("the version of the policy", data["policy"]["version"], version)
    for place, _, data in chain.of("run", "GatePassed"):
        faults.differ(f"the policy of event {place}", data["policyDigest"], chain.opened()["pins"]["policyDigest"])
        if any(each["passed"] is not True for each in data["checks"]):
            faults.append(f"the gate of event {place} was passed with a check that failed")
    return faults


STEPS = (
    "BaselineEstablished",
    "MutationProposed",
    "MutationCutOver",
    "MutationReverted",
    "MutationKept",
    "RunReverted",
    "LoopEnded",
)


def complete_chain(chain):
    """The tree after one step is the tree before the next: restore point to cutover to kept tree, reverts included."""
    faults = Faults()
    start_commit, start = chain.origin()
    line = []  # the kept mutations that stand: (mutation, tree before, tree after)
    trial = None  # {mutation, tree, commit, on}: proposed, and whether it was cut over
    is_open = established = ended = False

    def stands():
        return line[-1][2] if line else start

    def tried(mutation, what):
        if trial is not None and trial["mutation"] == mutation and trial["on"]:
            return trial
        faults.append(f"{what} of {mutation}, which is not on trial")
        return None

    def undecided():
        if trial is not None and trial["on"]:
            faults.append(f"{trial['mutation']} has no decision")

    for _, event, data in chain.of("run"):
        is_open = is_open or event.body["type"] == "RunOpened"
        if not is_open and event.body["type"] in STEPS:
            faults.append(f"{event.body['type']} before the run was opened")
        match event.body["type"]:
            case "BaselineEstablished":
                if established or line:
                    faults.append("the baseline is established twice or late")
                established = True
                faults.differ("the baseline", (data["commit"], data["tree"]), (start_commit, start))
            case "MutationProposed":
                undecided()
                faults.differ(f"the tree before {data['mutationId']}", data["baseTree"], stands())
                trial = {
                    "mutation": data["mutationId"],
                    "tree": data["proposedTree"],
                    "commit": data["proposedCommit"],
                    "on": False,
                }
            case "MutationCutOver":
                if not established:
                    faults.append("a cutover before the baseline")
                faults.differ("the tree before the cutover", data["fromTree"], stands())
                if trial is None or trial["mutation"] != data["mutationId"] or trial["on"]:
                    faults.append(f"cutover of {data['mutationId']}, which was not proposed or is on trial already")
                    continue
                faults.differ("the tree after the cutover", data["toTree"], trial["tree"])
                trial["on"] = True
            case "MutationReverted":
                undone = tried(data["mutationId"], "revert")
                if undone is not None:
                    faults.differ("the tree before the revert", data["fromTree"], undone["tree"])
                    faults.differ("the tree after the revert", data["toTree"], stands())
                    trial = None
            case "MutationKept":
                kept = tried(data["mutationId"], "keep")
                if kept is not None:
                    faults.differ("what was kept", (data["commit"], data["tree"]), (kept["commit"], kept["tree"]))
                    line.append((data["mutationId"], stands(), data["tree"]))
                    trial = None
            case "RunReverted":
                names, candidate = data["undone"], data["mutationId"]
                if candidate is None:
                    undecided()
                    faults.differ("the tree before the automatic revert", data["fromTree"], stands())
                else:
                    on_trial = tried(candidate, "automatic revert")
                    if on_trial is None:
                        continue
                    faults.differ("the tree before the automatic revert", data["fromTree"], on_trial["tree"])
                    trial = None
                kept = min(max(0, len(names) - (candidate is not None)), len(line))
                dropped = [line.pop()[0] for _ in range(kept)][::-1]
                faults.differ("what was undone", names, dropped + ([] if candidate is None else [candidate]))
                faults.differ("the tree after the automatic revert", data["toTree"], stands())
            case "LoopEnded":
                ended = True
                undecided()
                faults.differ("the tree that stands when the loop ends", data["tree"], stands())
    if not established or not ended:
        faults.append("there is no baseline, or no end of the loop")

    claim, said = chain.proposed["claim"], chain.proposed["chain"]
    mutations = said["mutations"]
    if [step[0] for step in line[: len(mutations)]] != mutations:
        faults.append("gap: the finding names other mutations than the run's line holds")
        return faults
    last = line[len(mutations) - 1] if mutations else None
    faults.differ("where the mutations lead", said["toTree"], last[2] if last else start)
    compared = start if claim["kind"] == "line" else last and last[1]
    faults.differ("the compared program", said["fromTree"], compared)
    if claim["kind"] == "line" and len(line) > len(mutations):
        faults.append(f"gap: {line[len(mutations)][0]} stands on the line and is left out")
    return faults


def standing(chain):
    """Each event of the run, with the state that stood before it: tree, commit, training, metric."""
    state = None
    for _, event, data in chain.of("run"):
        yield event.body["type"], data, state
        match event.body["type"]:
            case "BaselineEstablished" | "MutationKept":
                state = (data["tree"], data["commit"], data["trainingId"], data["metric"])
            case "RunReverted":
                state = (data["toTree"], data["toCommit"], data["toTrainingId"], data["toMetric"])


def restore_points(chain):
    faults, latest = Faults(), None
    for kind, data, state in standing(chain):
        if kind == "RestorePointTaken":
            taken = (data["tree"], data["commit"], data["trainingId"], data["metric"])
            faults.differ(f"the restore point of {data['mutationId']}", taken, state)
            if data["mutationId"] == latest:
                faults.append(f"{latest} has two restore points")
            latest = data["mutationId"]
        elif kind in ("MutationCutOver", "MutationKept", "MutationReverted", "RunReverted"):
            mutation = data.get("mutationId")
            if mutation is not None and mutation != latest:
                faults.append(f"{mutation} has no restore point")
    return faults


def cutover_audit(chain):
    faults = Faults()
    proposal, point, cutover = {}, None, None
    for _, event, data in chain.of("run"):
        match event.body["type"]:
            case "MutationProposed":
                proposal = data
            case "RestorePointTaken":
                point = data["restorePointId"]
            case "MutationCutOver":
                if cutover == data["mutationId"]:
                    faults.append(f"{cutover} is cut over twice")
                cutover = data["mutationId"]
                for entry, proposed in (
                    ("mutationId", "mutationId"),
                    ("fromTree", "baseTree"),
                    ("toTree", "proposedTree"),
                    ("domain", "measuredDomain"),
                    ("summary", "summary"),
                ):
                    faults.differ(f"the cutover entry: {entry}", data[entry], proposal.get(proposed))
                faults.differ("the cutover entry: restore point", data["restorePointId"], point)
                if data["why"] == "":
                    faults.append("a cutover entry says no reason")
            case "TrainingLaunched" | "MutationKept" | "MutationReverted" | "RunReverted":
                mutation = data.get("mutationId")
                if mutation is not None and mutation != cutover:
                    faults.append(f"{mutation} has no cutover entry")
    return faults


def objects(chain):
    """Whatever the chain names is there and hashes to its name."""
    faults, sound = Faults(), set()

    def blob(oid, what):
        if ("blob", oid) in sound:
            return True
        if inspect(chain, faults, "blob", oid, what) is None:
            return False
        sound.add(("blob", oid))
        return True

    def tree(oid, what):
        if ("tree", oid) in sound:
            return True
        content = inspect(chain, faults, "tree", oid, what)
        if content is None:
            return False
        entries = tree_entries(content)
        whole = entries is not None
        for mode, name, child in entries or []:
            if mode == FOLDER:
                whole = tree(child, f"{name} in {what}") and whole
            elif mode in FILES:
                whole = blob(child, f"{name} in {what}") and whole
            else:
                whole = False
        if not whole:
            faults.append(f"{what} (tree {oid}) is not whole")
        else:
            sound.add(("tree", oid))
        return whole

    def commit(oid, tree_oid, what):
        content = inspect(chain, faults, "commit", oid, what)
        if content is not None:
            faults.differ(f"the tree of {what}", commit_tree(content), tree_oid)
        tree(tree_oid, f"the tree of {what}")

    def artefact(ref, what):
        content = inspect(chain, faults, "blob", ref["oid"], what)
        if content is not None:
            faults.differ(f"SHA-256 of {what}", hashlib.sha256(content).hexdigest(), ref["sha256"])
            faults.differ(f"the size of {what}", len(content), ref["bytes"])

    for _, event, data in chain.of("run"):
        match event.body["type"]:
            case "RunOpened":
                pins, fork, cohorts = data["pins"], data["forkedFrom"], data["cohorts"]
                commit(pins["pinCommit"], pins["tree"], "the source")
                tree(pins["proof"], "the source proof")
                if fork is not None:
                    commit(fork["commit"], fork["tree"], "the fork point")
                if cohorts is not None:
                    tree(cohorts["tree"], "the cohort release")
                    artefact(cohorts["table"], "the cohort table")
                    artefact(cohorts["cells"], "the cells")
            case "MutationProposed":
                commit(data["proposedCommit"], data["proposedTree"], f"the attempt {data['mutationId']}")
            case "RestorePointTaken":
                commit(data["commit"], data["tree"], f"the restore point of {data['mutationId']}")
            case "TrainingCompleted":
                tree(data["artefacts"], "a training's artefacts")
                artefact(data["predictions"], "a training's predictions")
                artefact(data["log"], "a training's log")
            case "TrainingFailed" | "TrainingTimedOut":
                tree(data["artefacts"], "a training's artefacts")
                artefact(data["log"], "a training's log")
    for member in ("sourceTree", "fromTree", "toTree"):
        tree(chain.proposed["chain"][member], f"the finding's {member}")
    for ref in chain.proposed["predictions"]:
        artefact(ref, "the finding's predictions")
    return faults


def attempt_commits(chain):
    """Each attempt's commit holds the proposed tree and follows the commit that stood, and no other."""
    faults = Faults()
    for kind, data, state in standing(chain):
        if kind != "MutationProposed":
            continue
        what = f"the commit of {data['mutationId']}"
        faults.differ(f"the base of {what}", data["baseCommit"], state and state[1])
        content = inspect(chain, faults, "commit", data["proposedCommit"], what)
        if content is not None:
            faults.differ(f"the tree of {what}", commit_tree(content), data["proposedTree"])
            faults.differ(f"the parents of {what}", commit_parents(content), [data["baseCommit"]])
    return faults


def worker_signatures(chain):
    """Each result is signed by the pinned worker, or by one that was enlisted before."""
    faults = Faults()
    pinned = chain.opened()["keys"]["worker"]
    keys = {}
    for _, event, data in chain.of(
        "run", "WorkerEnlisted", "TrainingCompleted", "TrainingFailed", "TrainingTimedOut"
    ):
        if event.body["type"] == "WorkerEnlisted":
            keys[data["keyId"]] = data["publicKey"]
            continue
        signature = data["signature"]
        key_id = signature["keyId"]
        key = pinned["publicKey"] if key_id == pinned["keyId"] else keys.get(key_id)
        attested = {name: value for name, value in data.items() if name not in ("signature", "note")}
        if key is None or not signed(key, "training", attested, signature):
            faults.append(f"the signature of training {data['trainingId']} does not hold")
    return faults


def recorded_verdicts(chain):
    faults = Faults()
    events = chain.streams["finding"]
    for place, _, data in chain.of("finding", "FindingVerified"):
        head = chain.proposed["chain"]["runHead"]
        attested = {name: data[name] for name in ("findingId", "verdict", "rows", "trust")}
        attested["runHead"] = {"revision": head["revision"], "hash": head["hash"]}
        attested["proposed"] = events[0].hash
        key = chain.opened()["keys"]["runner"]["publicKey"]
        if not signed(key, "verdict", attested, data["signature"]):
            faults.append(f"the signature of the verdict in event {place} does not hold")
    for place, _, data in chain.of("finding", "FindingReplayed"):
        faults.differ(f"the finding of the replay in event {place}", data["findingId"], chain.proposed["findingId"])
        attested = {name: value for name, value in data.items() if name != "signature"}
        attested["proposed"] = events[0].hash
        key = chain.opened()["keys"]["runner"]["publicKey"]
        if not signed(key, "replay", attested, data["signature"]):
            faults.append(f"the signature of the replay in event {place} does not hold")
    return faults


def index_of(event):
    """Where an event stands in the log; nothing comes before or after one that does not say."""
    return event.leaf.index if event.leaf is not None else math.nan


def look_order(chain):
    """The sealed rows were opened after the loop had ended and before the finding was proposed."""
    faults = Faults()
    run_id = chain.proposed["chain"]["runId"]
    run, head = chain.streams["run"], chain.proposed["chain"]["runHead"]["revision"]
    ended = index_of(run[head]) if 0 <= head < len(run) else math.inf
    claimed = index_of(chain.streams["finding"][0])
    for source, kind in (("study", "SealedRowsOpened"), ("data", "LookCounted")):
        if source not in chain.streams:
            continue
        looks = [event for _, event, data in chain.of(source, kind) if data["runId"] == run_id]
        if len(looks) != 1:
            faults.append(f"{len(looks)} looks of this run in its {source}, expected one")
        elif not ended < index_of(looks[0]) < claimed:
            faults.append(f"the look in the {source} was not counted between the loop's end and the claim")
    return faults


def data_order(chain):
    """The split of the data was fixed, and the table said, before the run was opened."""
    faults = Faults()
    opened = chain.opened()
    if "data" not in chain.streams or opened["cohorts"] is None or opened["policy"]["version"] == 1:
        return faults
    at = index_of(chain.streams["run"][0])
    splits = [event for _, event, _ in chain.of("data", "SplitFixed")]
    if len(splits) != 1 or not index_of(splits[0]) < at:
        faults.append("the split of the data was not fixed once and before the run was opened")
    table = opened["cohorts"]["table"]["sha256"]
    said = [event for _, event, data in chain.of("data", "TableFixed") if data["table"] == table]
    if not said or not index_of(said[0]) < at:
        faults.append("the base table was not said before the run was opened")
    return faults


def fork_origin(chain):
    """A fork starts where a finding of an earlier run leads to, every row of which holds."""
    faults = Faults()
    opened, chain_said = chain.opened(), chain.proposed["chain"]
    fork, pins = opened["forkedFrom"], opened["pins"]
    if fork is None:
        return faults
    counted = [data["runId"] for _, _, data in chain.of("study", "RunCounted")]
    ours = counted.index(chain_said["runId"]) if chain_said["runId"] in counted else len(counted)
    if fork["runId"] not in counted[:ours]:
        faults.append(f"the study counted no run {fork['runId']} before this one")
    if fork["mutationId"] is None:
        faults.differ("a fork from the source", (fork["commit"], fork["tree"]), (pins["pinCommit"], pins["tree"]))
        return faults
    ancestor = chain.ancestor(fork)
    if ancestor is None:
        faults.append(f"no finding of {fork['runId']} leads to {fork['tree']}")
        return faults
    before, verified = ancestor
    if not all(row["passed"] for row in verified):
        faults.append(f"the finding {before.finding} that leads to the fork point does not hold")
    said, pinned = before.proposed["chain"], before.opened()["pins"]
    faults.differ("the run of the fork point", said["runId"], fork["runId"])
    faults.differ("the study of the fork point", said["studyId"], opened["studyId"])
    faults.differ("the tree of the fork point", said["toTree"], fork["tree"])
    faults.differ("the last mutation before the fork", (said["mutations"] or [None])[-1], fork["mutationId"])
    for pin in ("tree", "path", "dataDigest", "splitCommitment"):
        faults.differ(f"the fork's {pin}", pins[pin], pinned[pin])
    return faults


# A row that bears the name of one of the first verifier asks all that that one asks; the others ask a part of one.
CHECKS = (
    ("hash-chain", hash_chain, "each stream is a chain from event 0 on"),
    ("known-events", known_events, "events of known types and versions"),
    ("run-head-signed", run_head_signed, "the loop's end, signed by the runner"),
    ("source-pinned", source_pinned, "the source commit leads to the pinned tree"),
    ("fork-origin", fork_origin, "the run starts from its source, or where a finding that holds leads to"),
    ("environment-pinned", environment_pinned, "the environment is the pinned one"),
    ("policy-pinned", policy_pinned, "the policy is the pinned one, and that of each gate"),
    ("data-order", data_order, "split and table were fixed before the run was opened"),
    ("complete-chain", complete_chain, "the tree after one step is the tree before the next"),
    ("restore-points", restore_points, "one restore point of the state that stood, before each cutover"),
    ("cutover-audit", cutover_audit, "one cutover entry for each mutation that took effect"),
    ("objects", objects, "each object that the chain names is there and hashes to its name"),
    ("worker-signatures", worker_signatures, "each result is signed by a worker of the run"),
    ("attempt-commits", attempt_commits, "each attempt's commit follows the one that stood"),
    ("look-order", look_order, "one look, between the loop's end and the claim"),
    ("recorded-verdicts", recorded_verdicts, "each recorded verdict is signed by the runner"),
)


def rows(bundle, finding_id, ancestor_of, depth=0):
    """The finding's chain, None where its claim can't be read, and its rows."""

    def ancestor(fork):
        before = ancestor_of(fork) if depth < DEEPEST_FORK else None
        if before is None:
            return None
        found, verified = rows(bundle, before, ancestor_of, depth + 1)
        return None if found is None else (found, verified)

    try:
        chain, why = Chain(bundle, finding_id, ancestor), ""
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        chain, why = None, f"the claim can't be read: {error!r}"
    answers = []
    for row, check, expected in CHECKS:
        faults = [why]
        if chain is not None:
            try:
                faults = check(chain)
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
                faults = [f"could not be checked: {error!r}"]
        found = "; ".join(faults[:12]) if faults else "as expected"
        answers.append({"row": row, "passed": not faults, "found": found, "expected": expected})
    return chain, answers
