//go:build unix

package main

import (
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

//go:embed apps/*
var apps embed.FS

// nobody is whom daemons run as where this process is root: some of them refuse to be that.
const nobody = "nobody"

// newPlace makes a place for the daemon, with its files.
func (d *daemon) newPlace() (*place, error) {
	dir, err := os.MkdirTemp("", "lastcall-daemons-")
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir}
	if err := d.furnish(p); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

func (d *daemon) furnish(p *place) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ln.Close()
	p.addr = ln.Addr().String()
	p.port = strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	if os.Geteuid() == 0 {
		u, err := user.Lookup(nobody)
		if err != nil {
			return err
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return err
		}
		p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(p.dir, uid, gid); err != nil {
			return err
		}
	}
	if d.file != "" {
		text, err := apps.ReadFile("apps/" + d.file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(p.dir, d.file), text, 0o644); err != nil {
			return err
		}
	}
	if d.prepare != nil {
		return d.prepare(p)
	}
	return nil
}

func (p *place) remove() { _ = os.RemoveAll(p.dir) }

// run runs a program in the place, as its daemon will.
func (p *place) run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return nil
}

// wrap is a command that becomes the daemon's with the user of the place: setpriv(1) executes it in its own place.
func (p *place) wrap(command []string) []string {
	if p.as == nil {
		return command
	}
	return append([]string{"setpriv", fmt.Sprintf("--reuid=%d", p.as.Uid), fmt.Sprintf("--regid=%d", p.as.Gid), "--clear-groups", "--"}, command...)
}
