package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// YAML is the file as it was understood, in one file. Load reads it back as the same processes.
func (f *File) YAML() []byte {
	var b bytes.Buffer
	writeYAML(&b, f.node(), 0)
	return b.Bytes()
}

// JSON is the same as JSON, which Load reads too.
func (f *File) JSON() []byte {
	var b, indented bytes.Buffer
	writeJSON(&b, f.node())
	if err := json.Indent(&indented, b.Bytes(), "", "  "); err != nil {
		panic(err) // it is JSON
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

// node is the file as it is written.
func (f *File) node() *node {
	doc := document{File: *f, processes: make([]*draft, len(f.Processes))}
	for i, p := range f.Processes {
		d := &draft{Process: *p, env: p.Env}
		if p.Port > 0 {
			d.env = without(p.Env, "PORT")
		}
		for _, name := range p.After {
			d.after = append(d.after, dependency{reference: reference{name: name}})
		}
		for _, name := range p.AfterEnd {
			d.after = append(d.after, dependency{reference: reference{name: name}, ended: true})
		}
		for _, name := range p.Requires {
			d.requires = append(d.requires, reference{name: name})
		}
		for _, l := range p.Listen {
			d.ports = append(d.ports, socket{Listener: l})
		}
		doc.processes[i] = d
	}
	root := documentKeys().write(&doc)
	if f.hide {
		f.hideIn(root)
	}
	return root
}

// dollars is text with each $ doubled, unless it is for the shell.
func (n *node) dollars() string {
	if n.shell || n.number {
		return n.text
	}
	return strings.ReplaceAll(n.text, "$", "$$")
}

func writeJSON(b *bytes.Buffer, n *node) {
	switch n.kind {
	case sequence:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, item)
		}
		b.WriteByte(']')
	case mapping:
		b.WriteByte('{')
		for i, e := range n.entries {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(text.Quote(e.key))
			b.WriteByte(':')
			writeJSON(b, e.value)
		}
		b.WriteByte('}')
	default:
		if n.number {
			b.WriteString(n.text)
			return
		}
		b.WriteString(text.Quote(n.dollars()))
	}
}

// writeYAML writes the entries of a mapping, each in a line of its own, with this indentation.
func writeYAML(b *bytes.Buffer, n *node, indent int) {
	for _, e := range n.entries {
		fmt.Fprintf(b, "%*s%s:", indent, "", yamlText(e.key))
		switch v := e.value; {
		case v.kind == scalar && !v.number && block(v.dollars()):
			body, ended := strings.CutSuffix(v.dollars(), "\n")
			b.WriteString(map[bool]string{true: " |\n", false: " |-\n"}[ended])
			for line := range strings.Lines(body + "\n") {
				if line != "\n" {
					fmt.Fprintf(b, "%*s", indent+2, "")
				}
				b.WriteString(line)
			}
		case v.kind == mapping && len(v.entries) > 0:
			b.WriteByte('\n')
			writeYAML(b, v, indent+2)
		default:
			b.WriteByte(' ')
			writeFlow(b, v)
			b.WriteByte('\n')
		}
	}
}

// writeFlow writes n within a line.
func writeFlow(b *bytes.Buffer, n *node) {
	switch {
	case n.kind == sequence:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteString(", ")
			}
			writeFlow(b, item)
		}
		b.WriteByte(']')
	case n.kind == mapping:
		b.WriteByte('{')
		for i, e := range n.entries {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(yamlText(e.key) + ": ")
			writeFlow(b, e.value)
		}
		b.WriteByte('}')
	case n.number:
		b.WriteString(n.text)
	default:
		b.WriteString(yamlText(n.dollars()))
	}
}

// block reports whether a text is written as lines, as in a script: where it has several, and none that a terminal or the log
// of a CI system would obey.
func block(long string) bool {
	body := strings.TrimSuffix(long, "\n")
	if !strings.Contains(body, "\n") || body[0] == ' ' || body[0] == '\n' || body[len(body)-1] == '\n' {
		return false
	}
	if text.Lines(body) != body || strings.Contains(body, "\t") {
		return false
	}
	for line := range strings.SplitSeq(body, "\n") {
		if strings.HasSuffix(line, " ") { // which the parser would take away at the end
			return false
		}
	}
	return true
}

// yamlText is text as it stands in a line: plain if it can be nothing else, otherwise between quotes.
func yamlText(s string) string {
	if s == "" || strings.HasSuffix(s, " ") || strings.HasSuffix(s, ":") {
		return text.Quote(s)
	}
	for i := range len(s) {
		c := s[i]
		if !letter(c) && !digit(c) && strings.IndexByte("_./@+=~%^- ", c) < 0 && (c != ':' || s[i+1] == ' ') {
			return text.Quote(s)
		}
	}
	first := strings.TrimLeft(s, "-./_") // options, paths
	if quantity := strings.TrimLeft(s, "0123456789"); quantity != s {
		first = strings.TrimRight(quantity, "0123456789") // 10s, 512MiB, 1m30s, but not 0x10
		if strings.HasPrefix(s, "0") && strings.ContainsAny(first[:min(1, len(first))], "xobXOB") {
			first = ""
		}
	}
	if first == "" || !letter(first[0]) {
		return text.Quote(s)
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan":
		return text.Quote(s)
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return text.Quote(s)
	}
	return s
}
