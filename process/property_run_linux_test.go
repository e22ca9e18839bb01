package process

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// cases tries n cases, or -rapid.checks of them, from the seed 1 or -rapid.seed on, some at a time. When all have ended,
// nothing is left of any.
func cases(t *testing.T, n int, try func(member string, seed int) []string) {
	first := 1
	flag.Visit(func(f *flag.Flag) {
		number, err := strconv.Atoi(f.Value.String())
		switch {
		case err != nil:
		case f.Name == "rapid.checks":
			n = number
		case f.Name == "rapid.seed":
			first = number
		}
	})
	if testing.Short() {
		n = min(n, 20)
	}
	member := memberProgram(t)
	here.adoptOrphans()
	noError(t, startExits())
	_ = orphans() // whose list stays open
	fds, before, goroutines := openFiles(t), childrenOf(self), runtime.NumGoroutine()
	foreign := foreigners(t)
	seeds := make(chan int)
	var all sync.WaitGroup
	for range min(n, 10) {
		all.Go(func() {
			for seed := range seeds {
				if wrong := try(member, seed); len(wrong) > 0 {
					t.Errorf("case %d: %s\nagain: go test ./process -run '%s$' -rapid.checks=1 -rapid.seed=%d", seed, strings.Join(wrong, "\n"), t.Name(), seed)
				}
			}
		})
	}
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		seeds <- seed
	}
	close(seeds)
	all.Wait()
	foreign()
	var left []int
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		left = slices.DeleteFunc(childrenOf(self), func(pid int) bool { return slices.Contains(before, pid) })
		if len(left) == 0 {
			break
		}
	}
	for _, pid := range left {
		k, _ := statOf(pid)
		args, _ := readProc("/proc/" + strconv.Itoa(pid) + "/cmdline")
		t.Errorf("left in the end: %+v: %q", k, args)
	}
	for _, l := range everybody(t, filepath.Dir(member)) {
		t.Errorf("left in the end, among all processes: %+v", l)
	}
	var open []string
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if open = openFiles(t); len(open) <= len(fds) {
			break
		}
	}
	const once = 3 // goroutines that the first start and the first signal begin, and that stay: a leak would be one a case
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+once })
	if len(open) > len(fds) {
		t.Errorf("left open in the end:\n%s\nbefore:\n%s", strings.Join(open, "\n"), strings.Join(fds, "\n"))
	}
}

// foreigners are commands that somebody else in this program runs meanwhile, with package os/exec. The function that it returns
// ends that, and fails the test if a status was lost: golang/go#60481.
func foreigners(t *testing.T) (end func()) {
	over, done := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			select {
			case <-over:
				return
			default:
			}
			code := n % 100
			cmd := exec.Command("sh", "-c", "exit "+strconv.Itoa(code))
			if err := cmd.Start(); err != nil {
				done <- err
				return
			}
			time.Sleep(time.Duration(n%70) * time.Millisecond) // it ends, and nobody waits for it yet
			err := cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != code {
				done <- fmt.Errorf("a command of somebody else: exit code %d, want %d: %w", got, code, err)
				return
			}
		}
	}()
	return func() {
		close(over)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// openFiles are the descriptors of this process, and what they are.
func openFiles(t *testing.T) (list []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	noError(t, err)
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		info, _ := readProc("/proc/self/fdinfo/" + e.Name())
		for line := range strings.Lines(string(info)) {
			if strings.HasPrefix(line, "Pid:") {
				to += " " + strings.TrimSpace(line)
			}
		}
		list = append(list, e.Name()+" "+to)
	}
	return list
}

// memberProgram builds the command in internal/member.
func memberProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "member")
	if out, err := exec.Command("go", "build", "-o", path, "./internal/member").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return path
}

// A trial is a case that is carried out, and what was seen of it.
type trial struct {
	t      *testing.T
	plan   *groupPlan
	member string // the path of the program
	mark   string // for Leftovers; may be empty
	log    string // its path
	group  *lastcall.Group

	orphaned *atomic.Int32 // how many supervisors left somebody

	mu      sync.Mutex
	runs    []*runRecord
	never   []*Process      // that were to take the place of another, and did not
	givenUp map[string]bool // families that a stop alone abandoned, which a busy machine may be too slow for
	kills   []kill
	wrong   []string
}

// runRecord is one Run of a Process.
type runRecord struct {
	family   int
	p        *Process
	began    time.Time
	told     time.Time // zero: never
	cause    error     // why
	budget   time.Duration
	cut      bool
	over     bool // its context had ended when Run returned
	returned time.Time
	err      error
	exit     *Exit
	stop     time.Time // when the process's own stop began, a little after told
	mains    []int     // who was the main process, one after the other
	left     []living  // of the family, when Run returned
	found    []Relative
	out      *locked
}

// kill is a signal that the test sent.
type kill struct {
	pid int
	sig syscall.Signal
}

// living is a member that is alive.
type living struct {
	descendant
	family, main, id int
	parent           int
}

func newTrial(t *testing.T, member string, p *groupPlan) *trial {
	log, err := os.CreateTemp(t.TempDir(), "log")
	noError(t, err)
	noError(t, log.Close())
	return &trial{t: t, plan: p, member: member, log: log.Name()}
}

func (c *trial) wrongf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// await is eventually for a goroutine that is not the test's.
func (c *trial) await(what string, is func() bool) {
	for until := time.Now().Add(limit); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			c.wrongf("not in %v: %s", limit, what)
			return
		}
	}
}

// process is a Process of a family.
func (c *trial) process(i int) (*Process, *locked) {
	f := &c.plan.Families[i]
	p := &Process{
		Command: []string{c.member, c.log, strconv.Itoa(i), "0", "0"},
		Stop:    f.Steps, Kill: f.Kill, Grace: f.Grace, Mark: c.mark,
		Extend: -1, // none beyond the grace period: the budget is what it is
	}
	for id, n := range f.Nodes {
		text := n.String()
		if id == 0 && f.Ready != "" {
			text += " ready=" + f.Ready
		}
		p.Command = append(p.Command, text)
	}
	switch f.Ready {
	case "notify":
		p.Ready.Notify = true
	case "fd":
		p.Ready.FD = 3
	case "log":
		p.Ready.Log = regexp.MustCompile(" ready$")
	case "delay":
		p.Ready.Delay = 20 * time.Millisecond
	}
	p.Notify = slices.ContainsFunc(f.Nodes, func(n nodePlan) bool { return n.Main || n.Extend })
	if f.Prepared {
		mask := 0o27
		p.Umask = &mask
	}
	var out *locked
	if f.Copied || p.Ready.Log != nil {
		out = new(locked)
		p.Stdout = out
	} else {
		p.Stdout = devNull
	}
	p.Stderr = p.Stdout
	return p, out
}

var devNull, _ = os.OpenFile(os.DevNull, os.O_RDWR, 0)

// add puts a family into the group, or a new instance of it in its place.
func (c *trial) worker(i int) (*Process, lastcall.Worker, []lastcall.Option) {
	f := &c.plan.Families[i]
	p, out := c.process(i)
	opts := []lastcall.Option{lastcall.After(f.After...), lastcall.Requires(f.Requires...), lastcall.AwaitReady(0)}
	if f.Optional {
		opts = append(opts, lastcall.Optional())
	}
	if f.Restart != "" {
		opts = append(opts, lastcall.Restart(lastcall.RestartPolicy{Always: f.Restart == "always", MinDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond, Limit: 3}))
	}
	return p, lastcall.Func(func(ctx context.Context) error { return c.follow(ctx, i, p, out) }), opts
}

// follow is Run, and what is seen of it.
func (c *trial) follow(ctx context.Context, i int, p *Process, out *locked) error {
	r := &runRecord{family: i, p: p, out: out, began: time.Now()}
	c.mu.Lock()
	c.runs = append(c.runs, r)
	c.mu.Unlock()
	before, ran := p.Exit()
	var started *child
	p.OnStart = func(int) { started = p.current.Load() }
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		c.mu.Lock()
		defer c.mu.Unlock()
		r.told, r.cause = time.Now(), context.Cause(ctx)
		if at, ok := lastcall.Grace(ctx).Deadline(); ok {
			r.budget = time.Until(at)
		}
		if p.Grace > 0 {
			r.budget = min(r.budget, p.Grace)
		}
	})
	err := p.Run(ctx)
	cut, over := lastcall.Grace(ctx).Err() != nil, ctx.Err() != nil
	if !stop() {
		<-told
	}
	exit, ok := p.Exit()
	left := c.members(i)
	c.mu.Lock()
	defer c.mu.Unlock()
	r.returned, r.err, r.cut, r.over, r.found = time.Now(), err, cut, over, p.Relatives()
	if start := (*StartError)(nil); ok && !errors.As(err, &start) && (!ran || exit != before) {
		r.exit, r.left = &exit, left
		r.stop, r.mains = started.stop.began, started.family.mains
	}
	return err
}

// members are the members of a family that are alive, or with -1 of all. Each has the path of the log and its place in its
// arguments. Who is looked at when its parent ends may be missed, so it is looked twice.
func (c *trial) members(family int) []living {
	var pids []int
	var walk func(pid int)
	walk = func(pid int) {
		for _, child := range childrenOf(pid) {
			pids = append(pids, child)
			walk(child)
		}
	}
	walk(self)
	walk(self)
	return c.among(pids, family)
}

// everybody are the processes of the system that have a text among their arguments.
func everybody(t *testing.T, text string) (list []descendant) {
	entries, err := os.ReadDir("/proc")
	noError(t, err)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		args, err := readProc("/proc/" + e.Name() + "/cmdline")
		if k, ok := statOf(pid); err == nil && ok && bytes.Contains(args, []byte(text)) {
			list = append(list, k.descendant)
		}
	}
	return list
}

func (c *trial) among(pids []int, family int) (list []living) {
	slices.Sort(pids)
	for _, pid := range slices.Compact(pids) {
		text, err := readProc("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if err != nil || !bytes.Contains(text, []byte(c.log)) {
			continue
		}
		k, ok := statOf(pid)
		args := strings.Split(string(text), "\x00")
		at := slices.Index(args, c.log)
		if !ok || k.dead || at < 0 || len(args) <= at+3 {
			continue
		}
		l := living{descendant: k.descendant, parent: k.parent}
		l.family, _ = strconv.Atoi(args[at+1])
		l.main, _ = strconv.Atoi(args[at+2])
		l.id, _ = strconv.Atoi(args[at+3])
		if l.main == 0 {
			l.main = pid
			if l.parent != self { // the main process has forked, and this is to become another member
				l.main, l.id = l.parent, -1
			}
		}
		if family < 0 || l.family == family {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b living) int { return a.id - b.id })
	return list
}

// signal sends a member a signal of the test.
func (c *trial) signal(l living, s syscall.Signal) {
	h, err := here.openMember(l.descendant)
	if err != nil {
		return
	}
	c.mu.Lock()
	c.kills = append(c.kills, kill{l.pid, s})
	c.mu.Unlock()
	_ = h.signal(s)
	h.close()
}

// run carries the plan out and returns what was wrong.
func (c *trial) run() []string {
	c.build()
	signals := make(chan os.Signal, 2)
	over := make(chan error, 1)
	began := time.Now()
	go func() { over <- lastcall.Run(context.Background(), c.group, lastcall.FromSignals(signals)) }()
	ctx, cancel := context.WithCancel(context.Background())
	var acting sync.WaitGroup
	acting.Go(func() { c.act(ctx, began) })
	if lastcall.Sleep(ctx, c.plan.Stop) == nil {
		signals <- syscall.SIGTERM
	}
	stopped := time.Now()
	if c.plan.Again > 0 && lastcall.Sleep(ctx, c.plan.Again) == nil {
		signals <- syscall.SIGTERM
	}
	var err error
	const slack = limit / 2
	select {
	case err = <-over:
	case <-time.After(c.plan.Grace + c.plan.HardStop + slack + limit):
		c.wrongf("the group does not end:\n%v", c.group.Report())
	}
	took := time.Since(stopped)
	cancel()
	acting.Wait()
	c.await("every Run has returned", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return !slices.ContainsFunc(c.runs, func(r *runRecord) bool { return r.returned.IsZero() })
	})
	if most := c.plan.Grace + c.plan.HardStop; took > most+slack {
		c.wrongf("the stop took %v, and could take %v and some", took, most)
	}
	c.check(err)
	left := c.members(-1)
	for _, l := range left {
		if !c.excused(l) {
			c.wrongf("left behind: %+v", l)
		}
		c.signal(l, syscall.SIGKILL)
	}
	c.await("who is left alone is gone", func() bool {
		for _, l := range c.members(-1) {
			c.signal(l, syscall.SIGKILL)
			return false
		}
		return true
	})
	if len(c.wrong) == 0 {
		return nil
	}
	log, _ := os.ReadFile(c.log)
	return append(c.wrong, c.plan.String(), "log:\n"+string(log), fmt.Sprintf("signals of the test: %v", c.kills), c.group.Report().String(), fmt.Sprintf("Run: %v", err))
}

// build makes the group.
func (c *trial) build() {
	c.group = &lastcall.Group{Grace: c.plan.Grace, HardStop: c.plan.HardStop, Observe: func(lastcall.Event) {}}
	c.group.Go("keeper", func(ctx context.Context) error { <-ctx.Done(); return nil })
	for i := range c.plan.Families {
		_, w, opts := c.worker(i)
		c.group.Add(c.plan.Families[i].Name, w, opts...)
	}
}

// act does what is to happen, one after the other.
func (c *trial) act(ctx context.Context, began time.Time) {
	for _, a := range c.plan.Acts {
		if lastcall.Sleep(ctx, a.At-time.Since(began)) != nil {
			return
		}
		name := c.plan.Families[a.Family].Name
		// A start waits for what it depends on, which may be stopped.
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		long, cancelLong := context.WithTimeout(ctx, c.plan.Grace+c.plan.HardStop+limit)
		switch a.What {
		case "stop":
			c.stopped(a, c.group.Stop(long, name), long)
		case "start":
			_ = c.group.Start(short, name)
		case "restart":
			_ = c.group.Restart(short, name)
		case "replace":
			p, w, opts := c.worker(a.Family)
			if c.group.Replace(short, name, w, opts...) != nil {
				c.mu.Lock()
				c.never = append(c.never, p)
				c.mu.Unlock()
			}
		case "remove":
			err := c.group.Remove(long, name)
			config := (*lastcall.ConfigError)(nil)
			if c.stopped(a, err, long); !errors.As(err, &config) && !errors.Is(err, lastcall.ErrStopping) && long.Err() == nil {
				_, w, opts := c.worker(a.Family)
				c.group.Add(name, w, opts...)
			}
		default:
			sig := map[string]syscall.Signal{"kill": syscall.SIGKILL, "halt": syscall.SIGSTOP, "go on": syscall.SIGCONT}[a.What]
			if list := c.members(a.Family); len(list) > 0 {
				c.signal(list[a.Pick%len(list)], sig)
			}
		}
		cancel()
		cancelLong()
	}
}

// stopped checks that nothing of a family is left after a stop of it alone.
func (c *trial) stopped(a actPlan, err error, ctx context.Context) {
	config := (*lastcall.ConfigError)(nil)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.wrongf("%s of %s does not return:\n%v", a.What, c.plan.Families[a.Family].Name, c.group.Report())
		return
	case ctx.Err() != nil, errors.Is(err, lastcall.ErrStopping), errors.As(err, &config):
		return
	case c.plan.Grace < longGrace && errors.Is(err, lastcall.ErrAbandoned):
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.givenUp == nil {
			c.givenUp = map[string]bool{}
		}
		c.givenUp[c.plan.Families[a.Family].Name] = true
		return
	}
	for _, l := range c.members(a.Family) {
		if !c.excused(l) {
			c.wrongf("left behind by %s of %s: %+v", a.What, c.plan.Families[a.Family].Name, l)
		}
	}
}
