package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "embed"
)

// supervision is the part of the benchmark that measures supervisors and inits: lastcall's command and whichever others are
// there.
type supervision struct {
	*bench
	dirs  string // where programs are looked for, a PATH
	dir   string // for the subjects
	kid   string // the child's program
	forks bool   // it has the modes that fork
	goKid string // the same in Go

	several []*supervisor
	inits   []*supervisor

	mu  sync.Mutex
	own map[int]bool // pids of subjects: who else is a child of this process was adopted
}

// Supervision is what was found of supervisors.
type Supervision struct {
	Idle   []idleChildren `json:"idle,omitempty"`
	Stops  []stopResult   `json:"stops,omitempty"`
	Inits  []initResult   `json:"inits,omitempty"`
	Early  []earlyResult  `json:"early,omitempty"`
	Output []outputResult `json:"output,omitempty"`
	Facts  []factResult   `json:"facts,omitempty"`
	Rolls  *rollResult    `json:"rolls,omitempty"`
}

// supervisorSections are the parts, in the order in which they run.
var supervisorSections = []string{"up-idle", "up-stop", "init", "early", "output", "facts", "rolling"}

func (b *bench) measureSupervisors(ctx context.Context) error {
	v, err := b.newSupervision(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		b.skip("supervisors", errors.New("it needs Linux"))
		return nil
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(v.dir)
	defer v.reap()
	b.result.Supervision = new(Supervision)
	v.programsTable()
	for _, part := range []struct {
		section string
		measure func(context.Context) error
	}{
		{"up-idle", v.measureIdle},
		{"up-stop", v.measureStops},
		{"init", v.measureInits},
		{"early", v.measureEarly},
		{"output", v.measureOutput},
		{"facts", v.measureFacts},
		{"rolling", v.measureRolling},
	} {
		if !b.has(part.section) {
			continue
		}
		began := time.Now()
		if err := part.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.section, err)
		}
		b.progress("%s took %v", part.section, time.Since(began).Round(time.Second))
	}
	return nil
}

func (b *bench) newSupervision(ctx context.Context) (*supervision, error) {
	if err := adoptOrphans(); err != nil {
		return nil, err
	}
	v := &supervision{bench: b, dirs: os.Getenv("PATH"), own: make(map[int]bool)}
	if b.Peers != "" {
		peers, err := filepath.Abs(b.Peers)
		if err != nil {
			return nil, err
		}
		v.dirs = peers + string(filepath.ListSeparator) + v.dirs
	}
	// Thousands of children need a descriptor or more each, here and in what is started from here.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}

	lastcall := b.Lastcall
	if lastcall == "" {
		lastcall = filepath.Join(b.dir, "lastcall")
		if err := build(ctx, lastcall, "../cmd/lastcall", "-trimpath", "-ldflags=-s -w"); err != nil {
			return nil, err
		}
	}
	v.goKid = filepath.Join(b.dir, "go-kid")
	if err := build(ctx, v.goKid, "./programs/kid"); err != nil {
		return nil, err
	}
	var err error
	if v.kid, err = b.compileC(ctx, "kid", kidC, "-static"); err != nil {
		b.skip("the child in C", fmt.Errorf("one in Go is in its place, which starts more slowly and needs more memory: %w", err))
		v.kid = v.goKid
	} else {
		v.forks = true
	}

	var absent []string
	for _, s := range supervisors() {
		if s.program == "lastcall" {
			s.path = lastcall
		} else if b.Against != nil && !slices.Contains(b.Against, s.name) {
			continue
		} else if err := s.find(ctx, v.dirs); err != nil {
			absent = append(absent, s.name)
			continue
		}
		if s.single {
			v.inits = append(v.inits, s)
		} else {
			v.several = append(v.several, s)
		}
	}
	if absent != nil {
		b.skip(strings.Join(absent, ", "), errors.New("not in -peers and not in PATH"))
	}

	// In memory where that can be: the children write to it while they are timed.
	memory := "/dev/shm"
	if info, err := os.Stat(memory); err != nil || !info.IsDir() || runtime.GOOS != "linux" {
		memory = ""
	}
	if v.dir, err = os.MkdirTemp(memory, "lastcall-bench-"); err != nil {
		if v.dir, err = os.MkdirTemp("", "lastcall-bench-"); err != nil {
			return nil, err
		}
	}
	return v, os.Chmod(v.dir, 0o755)
}

//go:embed programs/kid.c
var kidC []byte

// build compiles a program of this tree.
func build(ctx context.Context, program, source string, flags ...string) error {
	args := append(append([]string{"build"}, flags...), "-o", program, ".")
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w: %s", source, err, strings.Join(strings.Fields(string(text)), " "))
	}
	return nil
}

// programsTable says what was measured.
func (v *supervision) programsTable() {
	t := v.table("Programs", "Found in -peers or in PATH, by their own account or that of the package.", "program", "version")
	for _, s := range slices.Concat(v.several, v.inits) {
		version := s.version
		if s.program == "lastcall" && v.Lastcall == "" {
			version = "of this tree"
		}
		t.row(s.name, cmp.Or(version, "-"))
	}
}

// waits is n children that wait.
func waits(n int) []string {
	modes := make([]string, n)
	for i := range modes {
		modes[i] = "wait"
	}
	return modes
}

// startLimit is how long a start of n children may take.
func startLimit(n int) time.Duration { return 30*time.Second + time.Duration(n)*200*time.Millisecond }
