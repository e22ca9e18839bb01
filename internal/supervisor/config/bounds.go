package config

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"

	"github.com/lastcall-go/lastcall/internal/safefile"
)

// Bounds of what is read. Each is far more than a person or a generator of files writes, and far less than it takes to
// fill the memory: a reload reads the file while everything runs.
const (
	maxFile      = 1 << 20   // bytes of one file
	maxFiles     = 1000      // that are read
	maxText      = 16 << 20  // bytes of all files, and of all values in which variables were replaced
	maxTokens    = 200_000   // of a YAML file
	maxDepth     = 100       // mappings and lists in each other
	maxKeys      = 10_000    // of a mapping that is written in lines: the parser calls itself for each
	maxDocuments = 10        // of which one is allowed
	maxAliases   = 10_000    //
	maxAliased   = 200_000   // values for which aliases stand
	maxVariables = 1_000_000 // in the environments of all processes
	maxDefaults  = 20        // ${A:-${B:-…}} in each other
	maxProblems  = 100       // that are told
	maxProblem   = 500       // characters of one
	maxCycle     = 10        // processes of a cycle that are named
	maxMatches   = 1000      // files that a pattern of include may stand for
	maxLooked    = 100_000   // entries of directories that are looked at for one
)

// used is what has been read so far, of that which is bounded for all files together.
type used struct {
	files, text, variables int
	told                   map[string]bool // bounds that were said to be exceeded
}

// take counts n more, and reports whether that is within the bound. The first excess is a problem.
func (r *reader) take(count *int, n, most int, at position, what string) bool {
	if *count += n; *count <= most {
		return true
	}
	if !r.used.told[what] {
		if r.used.told == nil {
			r.used.told = make(map[string]bool)
		}
		r.used.told[what] = true
		r.wrong(at, "", what, most)
	}
	return false
}

// read is the content of a file, with an error in a few words. own is for files of variables: a link of another user must not
// lead root to what only root can read. The other files say what runs, and their authors are trusted with that.
func (r *reader) read(file *source, own bool) ([]byte, error) {
	if r.files != nil {
		text, ok := r.files[file.path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
	how := safefile.Read
	if own {
		how = safefile.ReadOwn
	}
	text, err := how(file.path, maxFile)
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	if errors.Is(err, safefile.ErrTooLarge) {
		err = errTooLarge
	}
	return text, err
}

// glob is the files that a pattern of include stands for.
func (r *reader) glob(dir, pattern string) ([]string, error) {
	if r.files == nil {
		return glob(dir, pattern)
	}
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	var found []string
	for path := range r.files {
		if ok, _ := filepath.Match(within(dir, pattern), path); ok {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return found, nil
}

var errTooLarge = errors.New("larger than 1 MiB")

// tokenize splits text into the tokens of YAML, until there are too many or they are nested too deeply: the parser needs
// memory by the square of the depth.
func tokenize(text string) (tokens token.Tokens, at *token.Token, tooMuch string) {
	marks := 0
	for i := range len(text) {
		if strings.IndexByte("[]{},", text[i]) >= 0 {
			marks++
		}
	}
	if marks > 2*maxTokens { // the scanner does not stop before the end
		return nil, nil, "too many values"
	}
	var s scanner.Scanner
	s.Init(text)
	var shape shape
	for {
		more, err := s.Scan()
		if errors.Is(err, io.EOF) {
			return tokens, nil, ""
		}
		for _, t := range more {
			tokens.Add(t)
			if what := shape.add(t); what != "" {
				return nil, t, what
			}
		}
		if len(tokens) > maxTokens {
			return nil, tokens[len(tokens)-1], "too many values"
		}
	}
}

// shape follows how tokens are nested. Where it cannot know, it counts too much rather than too little.
type shape struct {
	blocks    []level // mappings and lists that are written in lines, from the outermost
	flow      int     // open brackets
	pairs     int     // colons since the last bracket or comma within brackets: a: b: c
	prefixes  int     // tags and anchors in a row
	documents int
}

// A level is a mapping or a list that is written in lines.
type level struct{ column, keys int }

// add takes the next token, and returns what is too much with it, "" if nothing is.
func (s *shape) add(t *token.Token) (tooMuch string) {
	if prefix := t.Type == token.AnchorType || t.Type == token.TagType; prefix {
		s.prefixes++
	} else if t.Prev == nil || t.Prev.Type != token.AnchorType { // not the anchor's name
		s.prefixes = 0
	}
	keys := 0
	switch t.Type {
	case token.MappingStartType, token.SequenceStartType:
		s.flow, s.pairs = s.flow+1, 0
	case token.MappingEndType, token.SequenceEndType:
		s.flow, s.pairs = max(s.flow-1, 0), 0
	case token.CollectEntryType:
		s.pairs = 0
	case token.SequenceEntryType, token.MappingKeyType:
		s.block(t.Position.Column)
	case token.MappingValueType:
		if s.flow > 0 {
			s.pairs++
		} else if t.Prev != nil {
			keys = s.block(t.Prev.Position.Column)
		}
	case token.DocumentHeaderType, token.DocumentEndType:
		s.documents++
		s.blocks, s.flow, s.pairs = s.blocks[:0], 0, 0
	}
	switch {
	case len(s.blocks)+s.flow+s.pairs+s.prefixes > maxDepth:
		return "nested too deeply: at most 100 levels of mappings and lists"
	case keys > maxKeys:
		return "more than 10000 keys in one mapping"
	case s.documents > maxDocuments:
		return "a second document begins here; only one is allowed"
	}
	return ""
}

// block notes a key or an item that begins in this column, and returns how many keys its mapping has.
func (s *shape) block(column int) int {
	for len(s.blocks) > 0 && s.blocks[len(s.blocks)-1].column > column {
		s.blocks = s.blocks[:len(s.blocks)-1]
	}
	if len(s.blocks) == 0 || s.blocks[len(s.blocks)-1].column < column {
		s.blocks = append(s.blocks, level{column: column})
	}
	last := &s.blocks[len(s.blocks)-1]
	last.keys++
	return last.keys
}

// size is how many values there are in n, as far as the bound.
func (n *node) size(most int) int {
	all := 1
	for _, item := range n.items {
		if all > most {
			return all
		}
		all += item.size(most - all)
	}
	for _, e := range n.entries {
		if all > most {
			return all
		}
		all += e.value.size(most - all)
	}
	return all
}
