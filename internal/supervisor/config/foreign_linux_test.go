package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Root reads no file of variables through a link by which another user chose what is read. Where a file that says what runs is, the
// links on the way to it may be anybody's: releases/1 and current, made by a user who deploys.
func TestForeignLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files of several users are made")
	}
	const deployer = 54321
	dir := t.TempDir()
	file := func(uid int, name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(text, "-> "); link {
			err = os.Symlink(target, name)
		} else {
			err = os.WriteFile(name, []byte(text), 0o600)
		}
		if err == nil {
			err = os.Lchown(name, uid, uid)
		}
		if err == nil {
			err = os.Lchown(filepath.Dir(name), uid, uid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	file(0, "etc/secret", "SECRET=1\n")
	file(deployer, "app/releases/1/lastcall.yaml", "env_file: [-app.env, -more.env]\nprocesses: {a: {command: a}}\n")
	file(deployer, "app/releases/1/app.env", "A=1\n")
	file(deployer, "app/current", "-> "+dir+"/app/releases/1")
	path := filepath.Join(dir, "app/current/lastcall.yaml")
	load := func(want string) {
		t.Helper()
		got, err := Load(Options{Path: path, Environ: []string{}})
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		} else if err != nil || strings.Join(got.Processes[0].Env, " ") != "A=1" {
			t.Errorf("%v, %v", got, err)
		}
	}
	load("")
	file(deployer, "app/releases/1/more.env", "-> "+dir+"/etc/secret")
	load("more.env: a link of user 54321 leads there, and it belongs to root")
	if err := os.Rename(filepath.Join(dir, "app/releases/1/more.env"), filepath.Join(dir, "app/releases/1/.env")); err != nil {
		t.Fatal(err)
	}
	load("a link of user 54321 leads there, and it belongs to root")
}
