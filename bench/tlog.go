// The work of merkle.ts, done by the library with which Go's checksum database is checked:
// microseconds each, as JSON. go run tlog.go LEAVES PROOFS
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

type stored []tlog.Hash

func (hashes stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = hashes[index]
	}
	return found, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

func timed(count int64, step func(n int64) error) float64 {
	since := time.Now()
	for n := int64(0); n < count; n++ {
		must(step(n))
	}
	return float64(time.Since(since).Nanoseconds()) / 1000 / float64(count)
}

func main() {
	leaves, proofs := number(os.Args[1]), number(os.Args[2])
	data := make([][32]byte, leaves)
	for n := range data {
		data[n] = sha256.Sum256([]byte(strconv.Itoa(n)))
	}
	place := func(n int64) int64 { return n * 7919 % leaves }

	hashes := make(stored, 0, tlog.StoredHashCount(leaves))
	times := map[string]interface{}{}
	times["append"] = timed(leaves, func(n int64) error {
		more, err := tlog.StoredHashes(n, data[n][:], hashes)
		hashes = append(hashes, more...)
		return err
	})
	root, err := tlog.TreeHash(leaves, hashes)
	must(err)
	older, err := tlog.TreeHash(leaves-1, hashes)
	must(err)

	inclusion := make([]tlog.RecordProof, proofs)
	times["prove"] = timed(proofs, func(n int64) (err error) {
		inclusion[n], err = tlog.ProveRecord(leaves, place(n), hashes)
		return err
	})
	times["verify"] = timed(proofs, func(n int64) error {
		leaf := hashes[tlog.StoredHashIndex(0, place(n))]
		return tlog.CheckRecord(inclusion[n], leaves, root, place(n), leaf)
	})
	consistency := make([]tlog.TreeProof, proofs)
	times["proveConsistency"] = timed(proofs, func(n int64) (err error) {
		consistency[n], err = tlog.ProveTree(leaves, leaves-1, hashes)
		return err
	})
	times["verifyConsistency"] = timed(proofs, func(n int64) error {
		return tlog.CheckTree(consistency[n], leaves, root, leaves-1, older)
	})
	times["root"] = root.String()
	must(json.NewEncoder(os.Stdout).Encode(times))
}
