// Checks Exemplar's transparency log by golang.org/x/mod/sumdb, which knows nothing of Exemplar.
//
//	verifier log URL KEY [EARLIER-CHECKPOINT]   everything that is served, and that it goes on from an earlier tree
//	verifier proof FILE KEY                     a proof of one entry (c2sp.org/tlog-proof), offline
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	var err error
	switch {
	case len(os.Args) >= 4 && os.Args[1] == "log":
		err = checkLog(os.Args[2], os.Args[3], os.Args[4:])
	case len(os.Args) == 4 && os.Args[1] == "proof":
		err = checkProof(os.Args[2], os.Args[3])
	default:
		err = errors.New("usage: verifier log URL KEY [EARLIER-CHECKPOINT] | verifier proof FILE KEY")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// opened is the tree of a signed checkpoint.
func opened(signed []byte, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	checked, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(checked.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// served reads tiles over HTTP; TileHashReader checks each against the tree's root.
type served struct{ url string }

func (s served) Height() int                     { return height }
func (s served) SaveTiles([]tlog.Tile, [][]byte) {}
func (s served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := s.get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (s served) get(path string) ([]byte, error) {
	request, err := http.NewRequest("GET", s.url+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	if credential := os.Getenv("CREDENTIAL"); credential != "" {
		request.Header.Set("Authorization", "Bearer "+credential)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
}

func checkLog(url, key string, earlier []string) error {
	log := served{url}
	signed, err := log.get("checkpoint")
	if err != nil {
		return err
	}
	tree, err := opened(signed, key)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, log)
	for first := int64(0); first < tree.N; first += 1 << height {
		if err := checkBundle(log, tree, hashes, first); err != nil {
			return err
		}
	}
	for _, path := range earlier {
		if err := checkGoesOn(path, key, tree, hashes); err != nil {
			return err
		}
	}
	fmt.Println("holds:", tree.N, "entries")
	return nil
}

// checkBundle proves each entry of a bundle by the tiles.
func checkBundle(log served, tree tlog.Tree, hashes tlog.HashReader, first int64) error {
	tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(min(tree.N-first, 1<<height))}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	bundle, err := log.get(path)
	if err != nil {
		return err
	}
	for index := first; index < first+int64(tile.W); index++ {
		if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("%s is cut off", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(bundle[2:end])); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		bundle = bundle[end:]
	}
	if len(bundle) != 0 {
		return fmt.Errorf("%s is longer than it says", path)
	}
	return nil
}

func checkGoesOn(path, key string, tree tlog.Tree, hashes tlog.HashReader) error {
	signed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, err := opened(signed, key)
	if err != nil || before.N == 0 {
		return err
	}
	if before.N > tree.N {
		return errors.New("the tree is smaller than it was")
	}
	proof, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
}

func checkProof(path, key string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof")
	}
	tree, err := opened([]byte(signed), key)
	if err != nil {
		return err
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	var told struct{ Entry string }
	if err := json.Unmarshal(extra, &told); err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash([]byte(told.Entry))); err != nil {
		return err
	}
	fmt.Println("holds:", told.Entry)
	return nil
}
