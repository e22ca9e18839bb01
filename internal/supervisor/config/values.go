package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/process"
)

// duration is a time; zero is one only where it means something.
func duration(zero bool) *kind[time.Duration] {
	return single("a duration such as 10s",
		func() schema {
			return or(pattern(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`), schema{"const": 0})
		},
		func(text string) (time.Duration, error) {
			d, err := time.ParseDuration(text)
			if err != nil {
				if _, err := strconv.ParseFloat(text, 64); err == nil {
					return 0, &hint{fmt.Sprintf("the duration %q has no unit", text), text + "s"}
				}
				return 0, fmt.Errorf("%q is no duration such as 10s or 1m30s", text)
			}
			if d < 0 {
				return 0, fmt.Errorf("the duration %s is negative", text)
			}
			if d == 0 && !zero {
				return 0, errors.New("the duration must be more than 0")
			}
			return d, nil
		},
		func(d time.Duration) *node { return textNode(durationText(d)) })
}

// durationText is the shortest text for it: 1h rather than 1h0m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// orNone is a value that can also be the word none, which is stored as nothing.
func orNone[V comparable](k *kind[V], word string, nothing V) *kind[V] {
	return &kind[V]{
		form: form{shape: scalar, words: k.words + ", or " + word, schema: func() schema { return or(k.schema(), schema{"const": word}) }},
		read: func(r *reader, n *node, v *V) {
			if text, err := substitute(n.text, r.variables); err == nil && n.kind == scalar && text == word {
				*v = nothing
				return
			}
			k.read(r, n, v)
		},
		write: func(v V) *node {
			if v == nothing {
				return textNode(word)
			}
			return k.write(v)
		},
	}
}

// units of sizes, the largest first, those of 1024 before those of 1000.
var units = [...]struct {
	name string
	size uint64
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3},
}

// size is a number of bytes, at most math.MaxInt64.
func size() *kind[uint64] {
	return single("a size such as 512k, 10MB or 1GiB",
		func() schema { return or(schema{"type": "integer", "minimum": 0}, pattern(`^[0-9]+ ?([kKMGT]i?)?B?$`)) },
		parseSize,
		func(v uint64) *node {
			for _, unit := range units {
				if v > 0 && v%unit.size == 0 {
					return textNode(strconv.FormatUint(v/unit.size, 10) + unit.name)
				}
			}
			return plainNode(strconv.FormatUint(v, 10))
		})
}

func parseSize(text string) (uint64, error) {
	digits := 0
	for digits < len(text) && digit(text[digits]) {
		digits++
	}
	v, err := strconv.ParseUint(text[:digits], 10, 64)
	unit := strings.TrimSuffix(strings.TrimSpace(text[digits:]), "B")
	factor := uint64(1)
	if unit != "" {
		factor = 0
		for _, u := range units {
			if strings.EqualFold(unit, strings.TrimSuffix(u.name, "B")) {
				factor = u.size
			}
		}
	}
	if err != nil && !errors.Is(err, strconv.ErrRange) || factor == 0 {
		return 0, fmt.Errorf("%q is no size such as 512k, 10MB or 1GiB", text)
	}
	if err != nil || v > math.MaxInt64/factor {
		return 0, fmt.Errorf("the size %s is too large", text)
	}
	return v * factor, nil
}

// convert is a kind of another type.
func convert[A, B any](k *kind[A], to func(A) B, from func(B) A) *kind[B] {
	return &kind[B]{
		form: k.form,
		read: func(r *reader, n *node, v *B) {
			a := from(*v)
			k.read(r, n, &a)
			*v = to(a)
		},
		write: func(v B) *node { return k.write(from(v)) },
	}
}

// signalName is the name of a signal, stored as SIGTERM or SIGRTMIN+3.
func signalName() *kind[string] {
	return single("a signal such as SIGTERM",
		func() schema {
			return or(schema{"type": "integer", "minimum": 1}, pattern(`^[A-Za-z0-9]+([+-][0-9]+)?$`))
		},
		func(text string) (string, error) {
			s, err := process.ParseSignal(text)
			if err != nil {
				near := nearest("SIG"+strings.TrimPrefix(strings.ToUpper(text), "SIG"), commonSignals)
				return "", &hint{err.Error(), near}
			}
			return process.SignalName(s), nil
		},
		textNode)
}

// commonSignals are those that may be meant by a name that does not exist.
var commonSignals = []string{
	"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGABRT", "SIGALRM", "SIGCONT", "SIGPIPE",
	"SIGRTMIN", "SIGRTMAX",
}

// path is a file or directory, relative to the file that names it.
func path(what string) *kind[string] {
	k := anyText(what)
	read := k.read
	k.read = func(r *reader, n *node, v *string) {
		text := ""
		if read(r, n, &text); text != "" {
			*v = n.at.file.resolve(text)
		}
	}
	return k
}

// resolve is a path that the file names, made absolute.
func (s *source) resolve(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.dir, path)
}

// beside is the file that s names, and how the user would write its name.
func (s *source) beside(name string) *source {
	path := s.resolve(name)
	shown := path
	if !filepath.IsAbs(name) {
		shown = filepath.Join(filepath.Dir(s.shown), name)
	}
	return &source{path: path, shown: shown, dir: filepath.Dir(path)}
}

// command is a line for the shell, or a list that is executed as it is.
func command() *kind[Command] {
	line := &kind[Command]{
		form: form{shape: scalar, words: "a line for the shell", schema: func() schema { return schema{"type": scalarTypes} }},
		read: func(r *reader, n *node, v *Command) {
			switch {
			case strings.TrimSpace(n.text) == "":
				r.wrongf(n.at, "it is empty")
			case strings.Contains(n.text, "\x00"):
				r.wrongf(n.at, "there is a NUL character in it")
			default:
				v.Shell = n.text
			}
		},
		write: func(v Command) *node {
			if v.Shell == "" {
				return nil
			}
			return &node{kind: scalar, text: v.Shell, shell: true}
		},
	}
	arguments := listOf("a list of the program and its arguments", single("text", func() schema { return schema{"type": scalarTypes} }, func(text string) (string, error) { return text, nil }, textNode))
	program := &kind[Command]{
		form: arguments.form,
		read: func(r *reader, n *node, v *Command) {
			before := len(r.problems)
			arguments.read(r, n, &v.Args)
			if len(r.problems) == before && (len(v.Args) == 0 || v.Args[0] == "") {
				r.wrongf(n.at, "it names no program")
			}
		},
		write: func(v Command) *node { return arguments.write(v.Args) },
	}
	return either(line, program)
}

// variables is NAME=value, from a mapping or a list.
func variables() *kind[[]string] {
	value := single("text", func() schema { return schema{"type": scalarTypes} }, func(text string) (string, error) { return text, nil }, textNode)
	named := &kind[[]string]{
		form: form{shape: mapping, words: "a mapping of names to values", schema: func() schema {
			return schema{"type": "object", "additionalProperties": value.schema()}
		}},
		read: func(r *reader, n *node, v *[]string) {
			path := r.path
			for _, e := range n.entries {
				text := ""
				if !envName(e.key) {
					r.wrongValue(e.at, fmt.Errorf("%q is not the name of a variable", e.key))
				}
				r.path = append(path[:len(path):len(path)], e.key)
				if e.value.kind == null {
					r.wrongf(e.value.at, `there is no value (write "" for an empty one)`)
				} else {
					value.read(r, e.value, &text)
				}
				r.path = path
				*v = merge(*v, e.key+"="+text)
			}
		},
		write: func(v []string) *node {
			n := &node{kind: mapping}
			for _, variable := range v {
				name, text, _ := strings.Cut(variable, "=")
				n.entries = append(n.entries, entry{key: name, value: textNode(text)})
			}
			return n
		},
	}
	listed := listOf("a list of NAME=value", value)
	items := &kind[[]string]{
		form: listed.form,
		read: func(r *reader, n *node, v *[]string) {
			for _, item := range n.items {
				text := ""
				value.read(r, item, &text)
				name, _, ok := strings.Cut(text, "=")
				if text != "" && (!ok || !envName(name)) {
					r.wrongf(item.at, "%q is not NAME=value", text)
					continue
				}
				*v = merge(*v, text)
			}
		},
		write: func([]string) *node { return nil },
	}
	return either(named, items)
}

// expression is a regular expression.
func expression() *kind[string] {
	return single("a regular expression", func() schema { return schema{"type": scalarTypes} },
		func(text string) (string, error) {
			if text == "" {
				return "", errors.New("it is empty")
			}
			if _, err := regexp.Compile(text); err != nil {
				return "", fmt.Errorf("it is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			}
			return text, nil
		},
		textNode)
}

// cronText is a cron expression.
func cronText() *kind[string] {
	return single("a cron expression", func() schema { return schema{"type": "string"} },
		func(text string) (string, error) {
			if _, err := parseSchedule(text); err != nil {
				return "", err
			}
			return text, nil
		},
		textNode)
}

// tcpAddress is where something listens: HOST:PORT, :PORT or PORT, without a host on this machine.
func tcpAddress() *kind[string] {
	return single("HOST:PORT", func() schema { return schema{"type": scalarTypes} },
		func(text string) (string, error) {
			address := strings.TrimPrefix(text, "tcp://")
			if !strings.Contains(address, ":") {
				address = ":" + address
			}
			if err := checkAddress(address); err != nil {
				return "", err
			}
			return withHost(address), nil
		},
		textNode)
}

// withHost is the address with that of this machine if it has no host.
func withHost(address string) string {
	if strings.HasPrefix(address, ":") {
		return "127.0.0.1" + address
	}
	return address
}

// webAddress is a URL for a probe.
func webAddress() *kind[string] {
	return single("a URL such as http://:8080/ready", func() schema { return schema{"type": "string"} },
		func(text string) (string, error) {
			if !strings.Contains(text, "://") {
				text = "http://" + text
			}
			u, err := url.Parse(text)
			if err != nil {
				return "", fmt.Errorf("it is no URL: %w", errors.Unwrap(err))
			}
			switch {
			case u.Scheme != "http" && u.Scheme != "https":
				return "", fmt.Errorf("%q is no URL that begins with http:// or https://", text)
			case u.Host == "" || u.Host == ":":
				return "", fmt.Errorf("the URL %q has neither host nor port", text)
			}
			u.Host = withHost(u.Host)
			return u.String(), nil
		},
		textNode)
}

// networks that a socket can be of.
var networks = []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", "unixgram", "unixpacket"}

// socketAddress is where lastcall listens.
func socketAddress() *kind[Listener] {
	const what = "an address such as :8080, 127.0.0.1:80, udp://:53 or unix:/run/web.sock"
	return &kind[Listener]{
		form: form{shape: scalar, words: what, schema: func() schema { return schema{"type": "string"} }},
		read: func(r *reader, n *node, v *Listener) {
			text, ok := r.text(n, what)
			if !ok {
				return
			}
			network, address, err := parseListen(text, n.at.file)
			if err != nil {
				r.wrongValue(n.at, err)
				return
			}
			v.Network, v.Address = network, address
		},
		write: func(v Listener) *node {
			if strings.HasPrefix(v.Network, "unix") {
				return textNode(v.Network + ":" + v.Address)
			}
			return textNode(v.Network + "://" + v.Address)
		},
	}
}

func parseListen(text string, from *source) (network, address string, err error) {
	network, address = "tcp", text
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		network, address = scheme, rest
		if strings.HasPrefix(scheme, "unix") && !strings.HasPrefix(rest, "/") {
			return "", "", &hint{fmt.Sprintf("after %s:// comes an absolute path", scheme), scheme + ":" + rest}
		}
	} else if scheme, rest, ok := strings.Cut(text, ":"); ok && strings.HasPrefix(scheme, "unix") {
		network, address = scheme, rest
	} else if strings.HasPrefix(text, "/") {
		network = "unix"
	}
	known := false
	for _, n := range networks {
		known = known || n == network
	}
	switch {
	case !known:
		return "", "", &hint{fmt.Sprintf("there are no sockets of the kind %q", network), nearest(network, networks)}
	case strings.HasPrefix(network, "unix") && address == "":
		return "", "", errors.New("the socket has no path")
	case strings.HasPrefix(network, "unix"):
		return network, from.resolve(address), nil
	}
	return network, address, checkAddress(address)
}

// checkAddress says what is wrong with HOST:PORT.
func checkAddress(address string) error {
	i := strings.LastIndexByte(address, ':')
	host, port := address[:max(i, 0)], address[i+1:]
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err == nil && i < 0:
		return &hint{fmt.Sprintf("the address %q is not HOST:PORT", address), ":" + address}
	case i < 0:
		return fmt.Errorf("the address %q is not HOST:PORT", address)
	case err != nil:
		return fmt.Errorf("the port %q of %q is no number from 0 to 65535", port, address)
	case strconv.FormatUint(number, 10) != port:
		return fmt.Errorf("the port %q of %q begins with 0", port, address)
	case strings.Contains(host, ":") && !bracketed:
		return &hint{fmt.Sprintf("the address %q has more than one colon", address), "[" + host + "]:" + port}
	case strings.ContainsAny(host, " \t\n/"):
		return fmt.Errorf("the host %q is not a name or a number", host)
	}
	return nil
}
