"""Published vectors, and a few by hand: `python3 -m unittest vectors`."""

import json
import struct
import unittest
from pathlib import Path

import canonical
import ed25519
import git_objects
import merkle
import notes
from notes import base64_bytes

LIBS = Path(__file__).resolve().parents[2] / "libs"

# RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
SIGNATURES = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)


class Ed25519(unittest.TestCase):
    def test_holds(self):
        for key, message, signature in SIGNATURES:
            self.assertTrue(ed25519.verify(*map(bytes.fromhex, (key, message, signature))))

    def test_does_not_hold_for_anything_else(self):
        for key, message, signature in SIGNATURES:
            key, message, signature = map(bytes.fromhex, (key, message, signature))
            self.assertFalse(ed25519.verify(key, message + b"x", signature))
            for at in range(64):
                flipped = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
                self.assertFalse(ed25519.verify(key, message, flipped))
            s = int.from_bytes(signature[32:], "little") + ed25519.L
            self.assertFalse(ed25519.verify(key, message, signature[:32] + s.to_bytes(32, "little")))
            self.assertFalse(ed25519.verify(key, message, signature[:-1]))
            self.assertFalse(ed25519.verify(key[:-1], message, signature))


    def test_edge_cases(self):
        vectors = json.loads((LIBS / "checkpoints/src/testdata/ed25519-vectors.json").read_text())
        for each in vectors["vectors"]:
            key, message, signature = (bytes.fromhex(each[name]) for name in ("publicKey", "message", "signature"))
            self.assertEqual(ed25519.verify(key, message, signature), each["holds"], each["what"])


class Merkle(unittest.TestCase):
    def test_rfc_6962(self):
        vectors = json.loads((LIBS / "merkle/src/testdata/rfc6962-vectors.json").read_text())
        for each in vectors["inclusion"]:
            leaf, root = base64_bytes(each["leafHash"] or ""), base64_bytes(each["root"] or "")
            proof = [base64_bytes(part) for part in each["proof"] or []]
            holds = merkle.includes(each["leafIdx"], each["treeSize"], leaf, root, proof)
            self.assertEqual(holds, not each["wantErr"], each["name"])
        for each in vectors["consistency"]:
            first, second = base64_bytes(each["root1"] or ""), base64_bytes(each["root2"] or "")
            proof = [base64_bytes(part) for part in each["proof"] or []]
            holds = merkle.extends(each["size1"], first, each["size2"], second, proof)
            # Of a tree without leaves nothing can be shown here.
            self.assertEqual(holds, not each["wantErr"] and each["size1"] > 0, each["name"])


class Canonical(unittest.TestCase):
    def test_rfc_8785(self):
        vectors = json.loads((LIBS / "event-log/src/testdata/rfc8785-vectors.json").read_text())
        for each in vectors["values"]:
            found = canonical.encoded(canonical.parse(each["input"].encode()))
            self.assertEqual(found.hex(), each["outputHex"], each["name"])
        for each in vectors["numbers"]:
            (value,) = struct.unpack(">d", bytes.fromhex(each["ieee754"]))
            self.assertEqual(canonical.number(value), each["text"])

    def test_numbers(self):
        for text in ("1", "-1", "0.1", "1e+21", "100000000000000000000", "1.5e-7", "0.000001", "123.456", "1e-7"):
            self.assertEqual(canonical.dumps(canonical.parse(text.encode())), text)
        for text in ("NaN", "Infinity", "1e999", '"\\ud800"', "", "{", "[1,]", "\ufeff1"):
            with self.assertRaises(canonical.NotJson):
                canonical.dumps(canonical.parse(text.encode()))


class Git(unittest.TestCase):
    def test_names(self):
        # `git hash-object` of nothing, and of the empty tree.
        self.assertEqual(git_objects.object_id("blob", b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
        self.assertEqual(git_objects.object_id("tree", b""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904")

    def test_trees(self):
        oid = bytes(range(20))
        content = b"100644 a\x00" + oid + b"40000 b\x00" + oid
        self.assertEqual(
            git_objects.tree_entries(content), [("100644", "a", oid.hex()), ("40000", "b", oid.hex())]
        )
        for cut in (1, 8, 20, len(content) - 1):
            self.assertIsNone(git_objects.tree_entries(content[:cut]))


class Notes(unittest.TestCase):
    # The example of C2SP signed-note.
    KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    NOTE = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )

    def test_note(self):
        key = notes.parse_key(self.KEY)
        self.assertEqual(notes.signers(notes.parse_note(self.NOTE), [key]), [(key, None)])
        for changed in (self.NOTE.replace("answer", "Answer"), self.NOTE.replace("x08go/Z", "x08go/Y")):
            with self.assertRaises(notes.Malformed):
                notes.signers(notes.parse_note(changed), [key])
        for none in (self.NOTE[:-1], self.NOTE + "x", "\n", self.NOTE.replace("AM=", "AN=")):
            with self.assertRaises(notes.Malformed):
                notes.parse_note(none)

    def test_key(self):
        for none in ("", self.KEY[:-1], self.KEY.replace("c74f", "c74e"), self.KEY.replace("Peter", "Pater")):
            with self.assertRaises(notes.Malformed):
                notes.parse_key(none)


if __name__ == "__main__":
    unittest.main()
