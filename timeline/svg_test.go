package timeline_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// begin is the soft stop of the reports made by hand.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)

// at is a moment after the soft stop, or before it.
func at(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }

// worker is one that was told to stop and returned.
func worker(name string, soft, end int, after ...string) lastcall.WorkerReport {
	return lastcall.WorkerReport{
		Name: name, After: after, State: lastcall.StateStopped, Cause: "SIGTERM",
		Started: at(-60_000), Ready: at(-59_900), SoftStop: at(soft), Ended: at(end),
	}
}

// clean is a stop in which all went well.
func clean() lastcall.Report {
	api := worker("api", 0, 412, "consumer-1", "consumer-2", "stats")
	api.InFlight = 7
	one := worker("consumer-1", 412, 731, "store")
	one.InFlight = 1
	two := worker("consumer-2", 412, 540, "store")
	two.InFlight = 1
	return lastcall.Report{
		State: lastcall.StateStopped, Cause: "SIGTERM",
		Started: at(-60_100), LameDuck: at(-500), SoftStop: at(0), Ended: at(763), Taken: at(763), Grace: 10 * time.Second,
		Workers: []lastcall.WorkerReport{api, one, two, worker("stats", 412, 413, "store"), worker("store", 731, 762)},
	}
}

// rough is a stop in which everything happens that the picture has a sign for.
func rough() lastcall.Report {
	api := worker("api", 0, 1200, "queue", "mail", "cache")
	api.InFlight = 12
	queue := worker("queue", 1200, 3100, "store")
	queue.HardStop, queue.InFlight, queue.Interrupted, queue.Restarts = at(3000), 3, 2, 1
	queue.Cause, queue.Err = "the grace period of 3s expired", "queue: interrupted by the hard stop, 2 units in flight cut"
	mail := worker("mail", 1200, 4000, "store")
	mail.Group, mail.State, mail.HardStop = true, lastcall.StateAbandoned, at(2900)
	render := worker("mail/render", 1200, 1450, "mail/smtp")
	render.Leaks = "goroutine 77 [chan receive]:\nexample.com/mail.(*Pool).refill(0xc000)\n\t/src/mail/pool.go:88 +0x1d"
	smtp := worker("mail/smtp", 1450, 3900)
	smtp.State, smtp.HardStop, smtp.Status, smtp.InFlight = lastcall.StateAbandoned, at(2900), "sending 3 of 9", 1
	smtp.Err = "mail/smtp: abandoned, still running 2.45s after its soft stop (sending 3 of 9)"
	cache := worker("cache", 0, 0)
	cache.SoftStop, cache.Ended, cache.State, cache.Cause = time.Time{}, at(-20), lastcall.StateFailed, ""
	cache.Err = "cache: connection reset by peer"
	return lastcall.Report{
		State: lastcall.StateFailed, Cause: "cache failed: connection reset by peer",
		Started: at(-60_100), LameDuck: at(-30_000), SoftStop: at(0), HardStop: at(3000), Ended: at(4050), Taken: at(4050), Grace: 3 * time.Second,
		Workers: []lastcall.WorkerReport{
			cache, api, queue, mail, render, smtp, worker("audit", 0, 0), worker("store", 4000, 4040),
			{Name: "lock", State: lastcall.StateAbandoned, Started: at(-60_000), Ready: at(-60_000), Ended: at(4050)},
		},
		Problems: []string{`late: Add after the soft stop`},
	}
}

// running is a group before any stop.
func running() lastcall.Report {
	r := lastcall.Report{State: lastcall.StateStarting, Started: at(0), Taken: at(1000), Grace: 10 * time.Second}
	r.Workers = []lastcall.WorkerReport{
		{Name: "api", After: []string{"queue"}, State: lastcall.StateWaiting},
		{Name: "queue", After: []string{"store"}, State: lastcall.StateStarting, Started: at(310), Status: "replaying, 40%"},
		{Name: "stats", State: lastcall.StateReady, Started: at(1), Ready: at(1), Unready: "no connection", InFlight: 1},
		{Name: "migrate", State: lastcall.StateStopped, Started: at(1), Ready: at(1), Ended: at(420)},
		{Name: "store", State: lastcall.StateReady, Started: at(1), Ready: at(305)},
	}
	return r
}

// hostile has texts that XML cannot hold as they are.
func hostile() lastcall.Report {
	r := clean()
	for i, name := range []string{
		`<script>alert("1")</script>`, `a&b;&lt;'"]]>`, strings.Repeat("very-long-name-", 40), "new\nline\ttab\x00\x1b[31m\xff\xfe", "グループの名前がとても長い時はどうなりますか、見てみよう👍",
	} {
		r.Workers[i].Name = name
		r.Workers[i].Status, r.Workers[i].Err, r.Workers[i].Leaks = name, name, name
		r.Workers[i].State = lastcall.StateAbandoned
		if i > 0 {
			r.Workers[i-1].After = []string{name}
		}
	}
	r.Cause = `</title><script>` + strings.Repeat("&", 500)
	r.Problems = []string{`<problem attr="x">`}
	return r
}

// many is a large group: one worker in it is cut.
func many(n int) lastcall.Report {
	r := clean()
	for i := range n {
		w := worker(fmt.Sprintf("pool/%04d", i), 412, 413+i%20, "store")
		if i == n/2 {
			w.HardStop, w.Interrupted, w.Err = at(414), 1, "interrupted"
		}
		r.Workers = append(r.Workers, w)
	}
	return r
}

func draw(t *testing.T, r lastcall.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := timeline.SVG(&b, r); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("the picture is not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
			t.Fatal("the picture has a script")
		}
	}
}

func TestGolden(t *testing.T) {
	for name, r := range map[string]lastcall.Report{
		"clean": clean(), "rough": rough(), "running": running(), "empty": {}, "hostile": hostile(), "many": many(600),
	} {
		t.Run(name, func(t *testing.T) {
			got := draw(t, r)
			file := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the picture differs from %s; look at it, and if it is right: go test ./timeline -update", file)
			}
		})
	}
}

func TestPictureSaysWhatHappened(t *testing.T) {
	for name, c := range map[string]struct {
		report lastcall.Report
		says   []string
		not    []string
	}{
		"clean": {clean(), []string{
			"stopped in 763ms (SIGTERM)", "lame duck 500ms", "grace period 10s, 763ms of it used", "5 workers", "5 workers · 9 in flight · all well",
			"longest chain: api 412ms → consumer-1 319ms → store 31ms", ">7 in flight<", "waited 731ms for consumer-1 +2",
		}, []string{"abandoned", "hard stop 3s", "goroutines behind"}},
		"rough": {rough(), []string{
			"failed, stopped in 4.05s (cache failed: connection reset by peer)", "8 workers · 16 in flight · 1 failed · 1 cut · 2 interrupted in flight · 2 abandoned · 1 with leaks", "hard stop 3s", "abandoned, 1 in flight", "sending 3 of 9", "cut, 3 in flight, 2 interrupted, 1 restart", "leaked", ">failed<",
			"cache: connection reset by peer", "left a goroutine behind: example.com/mail.(*Pool).refill", "late: Add after the soft stop",
			"longest chain: api 1.2s → mail/render 250ms → mail/smtp 2.45s → store 40ms", "ended before the stop",
		}, nil},
		"running": {running(), []string{
			"starting, 1s after the start", "waits for queue", "replaying, 40%", "not ready: no connection", "now 1s",
		}, []string{"hard stop", "interrupted", "longest chain"}},
		"empty": {lastcall.Report{}, []string{"not started", "no workers"}, nil},
		"many":  {many(600), []string{"pool/0300", "1 interrupted", "581 more", "each, nothing to tell"}, []string{">pool/0000<"}},
	} {
		t.Run(name, func(t *testing.T) {
			picture := draw(t, c.report)
			for _, want := range c.says {
				if !strings.Contains(picture, want) {
					t.Errorf("the picture does not say %q", want)
				}
			}
			for _, bad := range c.not {
				if strings.Contains(picture, bad) {
					t.Errorf("the picture says %q", bad)
				}
			}
		})
	}
}

// A report that was damaged, or made up, is drawn somehow; it neither panics nor loops.
func TestPictureOfNonsense(t *testing.T) {
	cycle := clean()
	for i := range cycle.Workers {
		cycle.Workers[i].After = []string{cycle.Workers[(i+1)%5].Name, cycle.Workers[i].Name, "nobody"}
		cycle.Workers[i].Group = true
	}
	backwards := clean()
	for i := range backwards.Workers {
		w := &backwards.Workers[i]
		w.SoftStop, w.Ended, w.HardStop = w.Ended, w.SoftStop, at(-9_000_000)
	}
	backwards.Ended, backwards.HardStop = at(-5000), at(-1)
	far := clean()
	far.Workers[0].Ended = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	far.Workers[1].SoftStop = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
	far.LameDuck = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
	same := clean()
	for i := range same.Workers {
		same.Workers[i].Name = "same/same/same"
	}
	nameless := clean()
	for i := range nameless.Workers {
		nameless.Workers[i].Name, nameless.Workers[i].After = "", nil
	}
	lameDuck := clean()
	lameDuck.SoftStop, lameDuck.Ended, lameDuck.State = time.Time{}, time.Time{}, lastcall.StateReady
	for i := range lameDuck.Workers {
		w := &lameDuck.Workers[i]
		w.SoftStop, w.Ended, w.State = time.Time{}, time.Time{}, lastcall.StateReady
	}
	lameDuck.Taken = at(-100)
	for name, r := range map[string]lastcall.Report{"cycle": cycle, "backwards": backwards, "far": far, "same": same, "nameless": nameless, "lame duck": lameDuck} {
		t.Run(name, func(t *testing.T) {
			if picture := draw(t, r); strings.Contains(picture, "NaN") || strings.Contains(picture, "Inf") {
				t.Error("the picture has a place that is not a number")
			}
		})
	}
}

func TestSVGReturnsTheWritersError(t *testing.T) {
	full := errors.New("disk full")
	if err := timeline.SVG(failing{full}, clean()); !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The report of a group that really ran, at every moment of it.
func TestPictureOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := func(d time.Duration) lastcall.Func {
			return func(ctx context.Context) error {
				<-ctx.Done()
				return lastcall.Sleep(lastcall.Grace(ctx), d)
			}
		}
		g := lastcall.Group{Grace: 5 * time.Second}
		g.Add("store", work(time.Second))
		g.Add("queue", work(2*time.Second), lastcall.After("store"))
		g.Add("api", work(time.Second), lastcall.After("queue"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Run(ctx) }()
		time.Sleep(time.Second)
		if picture := draw(t, g.Report()); !strings.Contains(picture, "1s after the start") {
			t.Error("the picture of the running group does not say since when it runs")
		}
		cancel()
		time.Sleep(2500 * time.Millisecond)
		if picture := draw(t, g.Report()); !strings.Contains(picture, "stopping since 2.5s") {
			t.Error("the picture of the stopping group does not say since when it stops")
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if picture := draw(t, g.Report()); !strings.Contains(picture, "longest chain: api 1s → queue 2s → store 1s") {
			t.Error("the picture of the stopped group does not say what it took its time for")
		}
	})
}
