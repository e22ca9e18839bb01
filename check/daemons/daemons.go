//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/check"
)

// A daemon is a program that others wrote, and how it is checked.
type daemon struct {
	name    string
	program string // which must be there; if it is not, pkg is Debian's name of what has it
	pkg     string
	version []string // prints it
	file    string   // of apps, that it runs or reads; "" if none
	prepare func(p *place) error
	command func(p *place) []string
	ready   string // how one knows that it is; "" if by a request, or by a connection where it does not speak HTTP
	path    string // of its URL; "" where it does not speak HTTP
	slow    string // of a URL whose answer takes a while
	signal  syscall.Signal
	// surprises say what the verdicts that one would not expect rest on, by scenario, and with "" what else there is to say. Each was
	// looked into by hand.
	surprises map[string]string
}

// place is where a daemon runs: a directory and a port of its own.
type place struct {
	dir  string
	addr string // 127.0.0.1 and the port
	port string
	as   *syscall.Credential // whom it runs as; nil where this process is nobody special itself
}

// shown is the place that stands in the document for those that differ from run to run.
var shown = &place{dir: "DIR", addr: "127.0.0.1:8080", port: "8080"}

// reapsNobody is the same for most.
const reapsNobody = "It waits for its own children only, if for any."

// takesOrphans is PostgreSQL's.
const takesOrphans = "As PID 1 it takes an orphan that was killed for a server process of its own that crashed: it says `terminating any other active server processes` and starts all anew. A stop that comes meanwhile ends with 1 (`abnormal database system shutdown`) or, just after `reinitializing`, never: it recovers and stays, and SIGINT changes nothing. Both seen by hand in its log, without the checker. A health check that is killed in the container is enough."

var daemons = []daemon{
	{
		name: "nginx", program: "nginx", pkg: "nginx-core", version: []string{"nginx", "-v"}, file: "nginx.conf", prepare: nginxFiles,
		command: func(p *place) []string {
			return []string{"nginx", "-e", "stderr", "-p", p.dir, "-c", "nginx.conf", "-g", "daemon off;"}
		},
		path: "/", slow: "/slow",
		surprises: map[string]string{
			"inflight": "SIGTERM is what most init systems send first, and to nginx it means the fast stop: the connections are cut. Its graceful stop is SIGQUIT.",
			"load":     "As for inflight: a worker that ends at once leaves what it has accepted.",
			"backlog":  "What the kernel had accepted and no worker had taken is reset when the listening socket is closed.",
		},
	},
	{
		name: "nginx (SIGQUIT)", program: "nginx", pkg: "nginx-core", version: []string{"nginx", "-v"}, file: "nginx.conf", prepare: nginxFiles,
		command: func(p *place) []string {
			return []string{"nginx", "-e", "stderr", "-p", p.dir, "-c", "nginx.conf", "-g", "daemon off;"}
		},
		path: "/", slow: "/slow", signal: syscall.SIGQUIT,
		surprises: map[string]string{
			"":        "It listens before it has handlers: a signal in between is a death by the default action, which `startup` meets in some runs (warn).",
			"backlog": "The graceful stop answers what was taken, and closes the listening socket without emptying its queue. By hand, with eight clients in a loop and no check: 27 resets in five stops.",
		},
	},
	{
		name: "redis", program: "redis-server", pkg: "redis-server", version: []string{"redis-server", "--version"},
		command: func(p *place) []string {
			return []string{"redis-server", "--bind", "127.0.0.1", "--port", p.port, "--dir", p.dir}
		},
		surprises: map[string]string{
			"idle": "Its clock (serverCron): `hz` is 10. By hand, with `config set hz 1` it wakes up once a second.",
			"pid1": reapsNobody,
		},
	},
	{
		name: "PostgreSQL", program: "postgres", pkg: "postgresql", version: []string{"postgres", "--version"}, prepare: cluster,
		ready:   "log:ready to accept connections", // it takes connections before that, only to send them away
		command: postgres,
		surprises: map[string]string{
			"idle": "The background writer looks every 200 ms (`bgwriter_delay`); the WAL writer goes to sleep after a while.",
			"port": "SIGTERM is the smart stop: it waits for every session to end by itself, for as long as that takes. Debian's service sends SIGINT.",
			"pid1": takesOrphans,
		},
	},
	{
		name: "PostgreSQL (SIGINT)", program: "postgres", pkg: "postgresql", version: []string{"postgres", "--version"}, prepare: cluster,
		ready:   "log:ready to accept connections", // it takes connections before that, only to send them away
		command: postgres, signal: syscall.SIGINT,
		surprises: map[string]string{
			"idle": "The background writer looks every 200 ms (`bgwriter_delay`); the WAL writer goes to sleep after a while.",
			"pid1": takesOrphans,
		},
	},
	{
		name: "memcached", program: "memcached", pkg: "memcached", version: []string{"memcached", "--version"},
		command: func(p *place) []string { return []string{"memcached", "-l", "127.0.0.1", "-p", p.port} },
		surprises: map[string]string{
			"idle": "The maintainer of its LRU lists looks at least once a second. A stop waits for the next second of its clock too, so it takes up to that long.",
			"pid1": reapsNobody,
		},
	},
	{
		name: "gunicorn", program: "gunicorn", pkg: "gunicorn", version: []string{"gunicorn", "--version"}, file: "wsgi.py",
		command: func(p *place) []string {
			return []string{"gunicorn", "--chdir", p.dir, "--bind", p.addr, "--threads", "4", "wsgi:app"}
		},
		path: "/", slow: "/slow",
		surprises: map[string]string{
			"idle":    "The arbiter looks at its workers every second, and the worker at its arbiter.",
			"startup": "A worker that has been forked and has not set up its own handlers runs the arbiter's, which do nothing there: the signal that the arbiter passes on is lost, and it waits `graceful_timeout` (30 s) for that worker. Seen with strace: the SIGTERM comes before the worker's rt_sigaction.",
			"load":    "A connection that is idle when the stop begins is closed, also when a request is on its way.",
			"backlog": "The listening socket is closed without emptying its queue.",
		},
	},
	{
		name: "waitress", program: "waitress-serve", pkg: "python3-waitress",
		version: []string{"/usr/bin/python3", "-c", "import importlib.metadata as m; print(m.version('waitress'))"}, file: "wsgi.py",
		command: func(p *place) []string { return []string{"waitress-serve", "--listen=" + p.addr, "wsgi:app"} },
		path:    "/", slow: "/slow",
		surprises: map[string]string{
			"idle":     "Its loop looks for something to do every second (`asyncore_loop_timeout`).",
			"term":     "Nothing in it handles SIGTERM; SIGINT is Python's KeyboardInterrupt, for which it stops.",
			"startup":  "As for term.",
			"inflight": "As for term: the process is gone, and its connections with it.",
			"load":     "As for term.",
			"backlog":  "As for term.",
			"pid1":     "As for term: what has no handler is not delivered to PID 1 at all.",
		},
	},
	{
		name: "uvicorn", program: "uvicorn", pkg: "uvicorn", version: []string{"uvicorn", "--version"}, file: "asgi.py",
		command: func(p *place) []string {
			return []string{"uvicorn", "--app-dir", p.dir, "--host", "127.0.0.1", "--port", p.port, "asgi:app"}
		},
		path: "/", slow: "/slow",
		surprises: map[string]string{
			"idle":    "Its server looks ten times a second whether it should stop (`main_loop` in server.py sleeps 0.1 s).",
			"backlog": "`shutdown` in server.py closes the listening socket first, without emptying its queue.",
			"pid1":    reapsNobody,
		},
	},
	{
		name: "Python's http.server", program: "/usr/bin/python3", pkg: "python3", version: []string{"/usr/bin/python3", "--version"},
		command: func(p *place) []string {
			return []string{"/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", p.port}
		},
		path: "/",
		surprises: map[string]string{
			"idle":    "serve_forever looks twice a second whether it should stop.",
			"term":    "It handles SIGINT only, as KeyboardInterrupt.",
			"startup": "As for term.",
			"load":    "As for term.",
			"pid1":    "As for term: what has no handler is not delivered to PID 1 at all.",
		},
	},
	{
		name: "Node.js", program: "node", pkg: "nodejs", version: []string{"node", "--version"}, file: "server.mjs",
		command: func(p *place) []string { return []string{"node", filepath.Join(p.dir, "server.mjs"), p.port} },
		path:    "/", slow: "/slow",
		surprises: map[string]string{
			"load": "server.close() closes the connections that are idle at that moment, and no other. One that was busy stays open, its answers say `Connection: keep-alive`, and it is served for as long as its client goes on asking: by hand, 148 answers in the eight seconds after SIGTERM. It takes `server.closeIdleConnections()` again and again, or `Connection: close` in the answers of the stop.",
			"pid1": reapsNobody,
		},
	},
	{
		name: "Go's net/http", program: "go", pkg: "golang", version: []string{"go", "version"}, prepare: buildNetHTTP,
		command: func(p *place) []string { return []string{filepath.Join(p.dir, "nethttp"), p.addr} },
		path:    "/", slow: "/slow",
		surprises: map[string]string{
			"load": "Shutdown closes the listening socket first, and with it what the kernel had accepted; a request that has just arrived on an open connection may be closed as idle. Package serve of this repository is about these two.",
			"pid1": reapsNobody,
		},
	},
}

// nginxFiles are a page, one that is long enough to take a while, and the configuration with the port in it.
func nginxFiles(p *place) error {
	www := filepath.Join(p.dir, "www")
	if err := os.Mkdir(www, 0o755); err != nil {
		return err
	}
	conf := filepath.Join(p.dir, "nginx.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		filepath.Join(www, "index.html"): "hello\n",
		filepath.Join(www, "slow"):       strings.Repeat("slow\n", 1000),
		conf:                             strings.ReplaceAll(string(text), "PORT", p.port),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cluster makes a database cluster.
func cluster(p *place) error {
	return p.run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "-D", filepath.Join(p.dir, "data"))
}

func postgres(p *place) []string {
	return []string{"postgres", "-D", filepath.Join(p.dir, "data"), "-h", "127.0.0.1", "-p", p.port, "-k", p.dir}
}

func buildNetHTTP(p *place) error {
	build := exec.Command("go", "build", "-o", filepath.Join(p.dir, "nethttp"), "github.com/lastcall-go/lastcall/check/daemons/apps/nethttp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build.Args, err, out)
	}
	return nil
}

// check is the check of the daemon at its place.
func (d *daemon) check(p *place) *check.Check {
	c := &check.Check{Command: p.wrap(d.command(p)), Dir: p.dir, Signal: d.signal}
	switch {
	case d.path != "":
		c.URL = "http://" + p.addr + d.path
		c.Ready = c.URL
		c.Skip = []string{"lameduck"} // what is asked for readiness is no readiness: none has such a thing of its own
	case d.ready != "":
		c.Ready = d.ready
	default:
		c.Ready = "tcp:" + p.addr
	}
	if d.slow != "" {
		c.Slow = "http://" + p.addr + d.slow
	}
	return c
}
