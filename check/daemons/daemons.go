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
	path    string // of its URL; "" where it does not speak HTTP
	slow    string // of a URL whose answer takes a while
	signal  syscall.Signal
	// surprises say what the verdicts that one would not expect rest on, by scenario; each was looked into by hand.
	surprises map[string]string
}

// place is where a daemon runs: a directory and a port of its own.
type place struct {
	dir  string
	addr string // 127.0.0.1 and the port
	port string
	as   *syscall.Credential // whom it runs as; nil where this process is nobody special itself
}

// fixed are the words that stand in the document for what differs from run to run.
var shown = &place{dir: "DIR", addr: "127.0.0.1:8080", port: "8080"}

var daemons = []daemon{
	{
		name: "nginx", program: "nginx", pkg: "nginx-core", version: []string{"nginx", "-v"}, file: "nginx.conf", prepare: nginxFiles,
		command: func(p *place) []string {
			return []string{"nginx", "-e", "stderr", "-p", p.dir, "-c", "nginx.conf", "-g", "daemon off;"}
		},
		path: "/", slow: "/slow",
	},
	{
		name: "nginx (SIGQUIT)", program: "nginx", pkg: "nginx-core", version: []string{"nginx", "-v"}, file: "nginx.conf", prepare: nginxFiles,
		command: func(p *place) []string {
			return []string{"nginx", "-e", "stderr", "-p", p.dir, "-c", "nginx.conf", "-g", "daemon off;"}
		},
		path: "/", slow: "/slow", signal: syscall.SIGQUIT,
	},
	{
		name: "redis", program: "redis-server", pkg: "redis-server", version: []string{"redis-server", "--version"},
		command: func(p *place) []string {
			return []string{"redis-server", "--bind", "127.0.0.1", "--port", p.port, "--dir", p.dir}
		},
	},
	{
		name: "PostgreSQL", program: "postgres", pkg: "postgresql", version: []string{"postgres", "--version"}, prepare: cluster,
		command: postgres,
	},
	{
		name: "PostgreSQL (SIGINT)", program: "postgres", pkg: "postgresql", version: []string{"postgres", "--version"}, prepare: cluster,
		command: postgres, signal: syscall.SIGINT,
	},
	{
		name: "memcached", program: "memcached", pkg: "memcached", version: []string{"memcached", "--version"},
		command: func(p *place) []string { return []string{"memcached", "-l", "127.0.0.1", "-p", p.port} },
	},
	{
		name: "gunicorn", program: "gunicorn", pkg: "gunicorn", version: []string{"gunicorn", "--version"}, file: "wsgi.py",
		command: func(p *place) []string {
			return []string{"gunicorn", "--chdir", p.dir, "--bind", p.addr, "--threads", "4", "wsgi:app"}
		},
		path: "/", slow: "/slow",
	},
	{
		name: "waitress", program: "waitress-serve", pkg: "python3-waitress",
		version: []string{"/usr/bin/python3", "-c", "import importlib.metadata as m; print(m.version('waitress'))"}, file: "wsgi.py",
		command: func(p *place) []string { return []string{"waitress-serve", "--listen=" + p.addr, "wsgi:app"} },
		path:    "/", slow: "/slow",
	},
	{
		name: "uvicorn", program: "uvicorn", pkg: "uvicorn", version: []string{"uvicorn", "--version"}, file: "asgi.py",
		command: func(p *place) []string {
			return []string{"uvicorn", "--app-dir", p.dir, "--host", "127.0.0.1", "--port", p.port, "asgi:app"}
		},
		path: "/", slow: "/slow",
	},
	{
		name: "Python's http.server", program: "/usr/bin/python3", pkg: "python3", version: []string{"/usr/bin/python3", "--version"},
		command: func(p *place) []string {
			return []string{"/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", p.port}
		},
		path: "/",
	},
	{
		name: "Node.js", program: "node", pkg: "nodejs", version: []string{"node", "--version"}, file: "server.mjs",
		command: func(p *place) []string { return []string{"node", filepath.Join(p.dir, "server.mjs"), p.port} },
		path:    "/", slow: "/slow",
	},
	{
		name: "Go's net/http", program: "go", pkg: "golang", version: []string{"go", "version"}, prepare: buildNetHTTP,
		command: func(p *place) []string { return []string{filepath.Join(p.dir, "nethttp"), p.addr} },
		path:    "/", slow: "/slow",
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
	if d.path != "" {
		c.URL = "http://" + p.addr + d.path
		c.Ready = c.URL
		c.Skip = []string{"lameduck"} // what is asked for readiness is no readiness: none has such a thing of its own
	} else {
		c.Ready = "tcp:" + p.addr
	}
	if d.slow != "" {
		c.Slow = "http://" + p.addr + d.slow
	}
	return c
}
