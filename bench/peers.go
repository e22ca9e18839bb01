package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peer is another library, measured by a program of its own in a module of its own, so that one that does not download
// or does not build is a line in the output and nothing else.
type peer struct {
	name   string
	dir    string // below peers/
	module string
	knows  string // what it knows of a worker while that waits
}

var peers = []peer{
	{"errgroup", "errgroup", "golang.org/x/sync", ""},
	{"conc", "conc", "github.com/sourcegraph/conc", ""},
	{"oklog/run", "oklog", "github.com/oklog/run", ""},
	{"tomb", "tomb", "gopkg.in/tomb.v2", ""},
	{"go-stopper", "stopper", "vawter.tech/stopper/v2", "name"},
	{"suture", "suture", "github.com/thejerf/suture/v4", "name"},
	{"dskit services", "dskit", "github.com/grafana/dskit", "name, state"},
}

// build compiles the peer's program into dir and returns its path and the version of the module.
func (p peer) build(ctx context.Context, dir string) (program, version string, err error) {
	source := filepath.Join("peers", p.dir)
	// The copy may be completed with checksums that go.sum lacks; the source tree stays as it is.
	modfile := filepath.Join(dir, p.dir+".mod")
	for from, to := range map[string]string{"go.mod": modfile, "go.sum": filepath.Join(dir, p.dir+".sum")} {
		text, err := os.ReadFile(filepath.Join(source, from))
		if err != nil {
			if from == "go.sum" {
				continue
			}
			return "", "", err
		}
		if err := os.WriteFile(to, text, 0o666); err != nil {
			return "", "", err
		}
	}
	program, err = filepath.Abs(filepath.Join(dir, p.dir))
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-modfile="+modfile, "-o", program, ".")
	cmd.Dir = source
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return "", "", fmt.Errorf("%s: %w", strings.Join(strings.Fields(stderr.String()), " "), err)
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", "", err
	}
	for _, dep := range info.Deps {
		if dep.Path == p.module {
			version = dep.Version
		}
	}
	return program, version, nil
}
