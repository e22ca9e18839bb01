package config

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What is printed shows no secret, and can be read where the environment has what is hidden.
func TestHideSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		".env":     "FROM_DOTENV=dotenv-value\nDB_PASSWORD=dotenv-password\nPLACE=place\n",
		"more.env": "FROM_FILE=\"file-value\nin two lines\"\ndotted.name=file-dotted\n",
		"lastcall.yaml": `
name: shop-$PLACE
socket: run/${DB_PASSWORD}.sock
processes:
  web:
    command: [./web, "--db=postgres://u:${DB_PASSWORD}@db/$$x", plain]
    env_file: more.env
    env:
      API_TOKEN: literal-token
      MYSQL_PWD: literal-pwd
      URL: https://me:literal-pass@host/
      COMPASS: north
      PWD: /here
      MIXED: "a $$ and ${DB_PASSWORD}"
      HOME_PAGE: https://host/x
      EMPTY_KEY: ""
  job:
    command: "./job $DB_PASSWORD"
    log: /var/log/${DB_PASSWORD}/x.log
`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := Load(Options{Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	full := string(file.YAML())
	file.HideSecrets()
	for name, text := range map[string]string{"YAML": string(file.YAML()), "JSON": string(file.JSON())} {
		for _, secret := range []string{"dotenv-value", "dotenv-password", "file-value", "in two lines", "file-dotted", "literal-"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s:\n%s", name, secret, text)
			}
			if name == "YAML" && !strings.Contains(full, secret) {
				t.Errorf("without hiding %s is missing:\n%s", secret, full)
			}
		}
		for _, shown := range []string{"shop-place", "north", "/here", "https://host/x", "./job $DB_PASSWORD",
			"--db=postgres://u:${DB_PASSWORD:?hidden, see --show-secrets}@db/$$x", "/var/log/${DB_PASSWORD:?hidden, see --show-secrets}/x.log",
			"a $$ and ${DB_PASSWORD:?hidden, see --show-secrets}"} {
			if !strings.Contains(text, shown) {
				t.Errorf("%s does not show %s:\n%s", name, shown, text)
			}
		}
	}
	if err := os.WriteFile("printed.yaml", file.YAML(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(".env"); err != nil {
		t.Fatal(err)
	}
	_, err = Load(Options{Path: "printed.yaml", Environ: []string{}})
	if err == nil || !strings.Contains(err.Error(), "web: env.API_TOKEN: API_TOKEN: hidden, see --show-secrets") {
		t.Errorf("without the environment: %v", err)
	}
	again, err := Load(Options{Path: "printed.yaml", Environ: []string{
		"FROM_DOTENV=dotenv-value", "DB_PASSWORD=dotenv-password", "FROM_FILE=file-value\nin two lines", "dotted_name=file-dotted", "PLACE=place",
		"API_TOKEN=literal-token", "MYSQL_PWD=literal-pwd", "URL=https://me:literal-pass@host/",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := again.YAML(); !bytes.Equal(got, []byte(full)) {
		t.Errorf("with the environment it is\n%s\nand not\n%s", got, full)
	}
}

func TestSecretName(t *testing.T) {
	for _, name := range []string{"PASSWORD", "db_password", "SECRET_KEY_BASE", "AWS_ACCESS_KEY_ID", "githubToken", "PGPASSWORD", "AUTH", "SENTRY_DSN", "API.KEY", "MYSQL_PWD"} {
		if !secretName(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"PWD", "PATH", "KEYBOARD", "COMPASS", "AUTHOR", "MODE", "PORT", "MONKEY"} {
		if secretName(name) {
			t.Errorf("%s is hidden", name)
		}
	}
}
