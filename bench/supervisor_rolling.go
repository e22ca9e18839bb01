package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/serve"
)

// rollResult is what clients saw of rolling restarts.
type rollResult struct {
	Restarts int           `json:"restarts"`
	Time     time.Duration `json:"time_ns"`
	Loads    []rollLoad    `json:"loads"`
}

// rollLoad is how the requests of one kind of client ended.
type rollLoad struct {
	Mode   string         `json:"mode"`
	Counts map[string]int `json:"counts"`
	Lost   int            `json:"lost"` // everything that was not answered with 200
	Sent   int            `json:"sent"`
}

// rollClients is how many clients there are of each kind.
const rollClients = 8

// measureRolling restarts a server with a held socket again and again, while clients that never retry ask it.
func (v *supervision) measureRolling(ctx context.Context) error {
	v.progress("%d rolling restarts under load", v.Rolls)
	dir, err := os.MkdirTemp(v.dir, "rolling-")
	if err != nil {
		return err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := free.Addr().String()
	free.Close()
	var up *supervisor
	for _, s := range v.several {
		if s.name == nameUp {
			up = s
		}
	}
	file := filepath.Join(dir, "lastcall.yaml")
	served := *up
	served.configure = func(string, [][]string, bool) ([]string, error) {
		text := fmt.Sprintf("processes:\n  web:\n    command: [%q, %s, rolling]\n    listen: { http: %q }\n    instances: 2\n    ready: { notify: true }\n",
			v.self, childCommand, address)
		return []string{"lastcall", "up", "-f", file}, writeFile(0o666, text, file)
	}
	env := "XDG_RUNTIME_DIR=" + dir
	u, err := v.start(&served, nil, start{env: []string{env}})
	if err != nil {
		return err
	}
	defer u.close()
	if err := answers(ctx, u, address); err != nil {
		return err
	}

	loading, stop := context.WithCancel(ctx)
	defer stop()
	modes := []rawhttp.Mode{rawhttp.NewConn, rawhttp.KeepAliveGET, rawhttp.KeepAlivePOST}
	result := &rollResult{Restarts: v.Rolls, Loads: make([]rollLoad, len(modes))}
	var all sync.WaitGroup
	for i, mode := range modes {
		all.Go(func() { result.Loads[i] = rollingLoad(loading, address, mode) })
	}
	began := time.Now()
	var failed error
	instances := descendants(u.root, processTable())
	for range v.Rolls {
		cmd := exec.CommandContext(ctx, up.path, "restart", "-f", file, "web")
		cmd.Env = append(os.Environ(), env)
		if text, err := cmd.CombinedOutput(); err != nil {
			failed = fmt.Errorf("lastcall restart: %w: %s; %s", err, strings.TrimSpace(string(text)), u.said())
			break
		}
		was := instances
		instances = descendants(u.root, processTable())
		for _, pid := range instances {
			if slices.Contains(was, pid) {
				failed = fmt.Errorf("lastcall restart has not replaced %d of %v: %s", pid, was, u.said())
			}
		}
	}
	result.Time = time.Since(began)
	stop()
	all.Wait()
	if failed != nil {
		return failed
	}
	v.result.Supervision.Rolls = result

	t := v.table("Rolling restarts under load",
		fmt.Sprintf("%d times lastcall restart of 2 instances with a held socket, each of which serves with serve.Inherited and serve.HTTP, while %d clients of each kind send one request after the other and never retry: %v in all. Lost is everything that was not answered with 200.", v.Rolls, rollClients, result.Time.Round(100*time.Millisecond)),
		"requests", "answered", "lost", "how")
	for _, l := range result.Loads {
		how := make([]string, 0, len(l.Counts))
		for class, n := range l.Counts {
			how = append(how, fmt.Sprintf("%s %d", class, n))
		}
		t.row(l.Mode, fmt.Sprint(l.Sent-l.Lost), fmt.Sprint(l.Lost), strings.Join(how, ", "))
		v.target(Target{What: fmt.Sprintf("%d rolling restarts: lost of %s", v.Rolls, l.Mode), Limit: 0, Measured: float64(l.Lost)})
	}
	return nil
}

func rollingLoad(ctx context.Context, address string, mode rawhttp.Mode) rollLoad {
	l := rollLoad{Mode: mode.String(), Counts: make(map[string]int)}
	var mu sync.Mutex
	load := rawhttp.Load{
		Target: rawhttp.Target{Addr: address, Mode: mode}, Clients: rollClients, Pause: time.Millisecond,
		Observe: func(_ int, r rawhttp.Result) {
			mu.Lock()
			defer mu.Unlock()
			l.Sent++
			switch {
			case r.Class == rawhttp.NoConnect && ctx.Err() != nil: // given up at the end
				l.Sent--
			case r.Class != rawhttp.Answered:
				l.Lost++
				l.Counts[r.Class.String()]++
			case r.Status != http.StatusOK:
				l.Lost++
				l.Counts[fmt.Sprintf("status %d", r.Status)]++
			}
		},
	}
	load.Run(ctx)
	return l
}

// answers waits until the server does.
func answers(ctx context.Context, u *subject, address string) error {
	for end := time.Now().Add(30 * time.Second); ; {
		client := rawhttp.NewClient(rawhttp.Target{Addr: address, Mode: rawhttp.NewConn})
		r := client.Exchange(ctx)
		client.Close()
		switch {
		case r.Class == rawhttp.Answered:
			return nil
		case u.hasEnded() || time.Now().After(end):
			return fmt.Errorf("%s does not serve: %w: %s", u.s.name, r.Err, u.said())
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// rollingChild is the server that is restarted.
func rollingChild() error {
	listener, err := serve.Inherited("http")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(time.Millisecond) // something is always in flight
		fmt.Fprintln(w, os.Getpid())
	})}
	var group lastcall.Group
	group.Add("web", serve.HTTP(server, listener))
	group.Go("ready", func(ctx context.Context) error {
		if err := notifyReady(); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}, lastcall.After("web"))
	return lastcall.Run(context.Background(), &group)
}

// notifyReady says so to the supervisor, by the protocol of sd_notify(3).
func notifyReady() error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "READY=1")
	return err
}
