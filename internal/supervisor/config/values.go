package config

import (
	"errors"
	"fmt"
	"math"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/nearest"
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
				return 0, fmt.Errorf("%q is not a duration such as 10s or 1m30s", text)
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
			if text, err := r.substitute(n.text); err == nil && n.kind == scalar && text == word {
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
		return 0, fmt.Errorf("%q is not a size such as 512k, 10MB or 1GiB", text)
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
				near := nearest.To("SIG"+strings.TrimPrefix(strings.ToUpper(text), "SIG"), commonSignals)
				return "", &hint{err.Error(), near}
			}
			return process.SignalName(s), nil
		},
		textNode)
}

// capabilities are one or more names, stored without CAP_; none is the word for the empty list, which is not nil.
func capabilities() *kind[[]string] {
	name := single("a capability such as NET_BIND_SERVICE",
		func() schema { return pattern(`^([Cc][Aa][Pp]_)?[A-Za-z_]+$`) },
		func(text string) (string, error) {
			c, err := process.ParseCapability(text)
			if err != nil {
				return "", &hint{err.Error(), nearest.To(strings.TrimPrefix(strings.ToUpper(text), "CAP_"), process.Capabilities())}
			}
			return c.String(), nil
		},
		textNode)
	some := oneOrMore("capabilities", name)
	return &kind[[]string]{
		form: form{words: some.words + ", or none", schema: some.schema},
		read: func(r *reader, n *node, v *[]string) {
			if text, err := substitute(n.text, r.variables); err == nil && n.kind == scalar && text == "none" {
				*v = []string{}
				return
			}
			if some.read(r, n, v); *v == nil {
				*v = []string{}
			}
		},
		write: func(v []string) *node {
			if len(v) == 0 {
				return textNode("none")
			}
			return some.write(v)
		},
	}
}

// commonSignals are those that may be meant by a name that does not exist.
var commonSignals = []string{
	"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGABRT", "SIGALRM", "SIGCONT", "SIGPIPE",
	"SIGRTMIN", "SIGRTMAX",
}

// command is a line for the shell, or a list that is executed as it is.
func command() *kind[Command] {
	line := &kind[Command]{
		form: form{shape: scalar, words: "a line for the shell", schema: func() schema { return schema{"type": scalarTypes} }},
		read: func(r *reader, n *node, v *Command) {
			switch {
			case strings.TrimSpace(n.text) == "":
				r.wrongf(n.at, "must not be empty")
			case strings.Contains(n.text, "\x00"):
				r.wrongf(n.at, "it contains a NUL character")
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
				r.wrongf(n.at, "the list names no program")
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
			var all []string
			for _, e := range n.entries {
				text := ""
				if !envName(e.key) {
					r.wrongValue(e.at, fmt.Errorf("%q is not the name of a variable", e.key))
				}
				r.path = append(path[:len(path):len(path)], e.key)
				if e.value.kind == null {
					r.wrongf(e.value.at, `missing value (write "" for an empty one)`)
				} else {
					value.read(r, e.value, &text)
				}
				r.path = path
				all = append(all, e.key+"="+text)
			}
			*v = merge(*v, all...)
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
			var all []string
			for _, item := range n.items {
				text := ""
				value.read(r, item, &text)
				name, _, ok := strings.Cut(text, "=")
				if text != "" && (!ok || !envName(name)) {
					r.wrongf(item.at, "%q is not NAME=value", text)
					continue
				}
				all = append(all, text)
			}
			*v = merge(*v, all...)
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
				return "", errors.New("must not be empty")
			}
			if _, err := syntax.Parse(text, syntax.Perl); err != nil { // as regexp.Compile does
				if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
					return "", fmt.Errorf("not a regular expression: %v: `%s`", wrong.Code, wrong.Expr)
				}
				return "", fmt.Errorf("not a regular expression: %w", err)
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

// umask is octal digits, also where YAML sees a number in them.
func umask() *kind[int] {
	return single("octal digits such as 022", func() schema {
		return or(schema{"type": "integer", "minimum": 0, "maximum": 777}, pattern(`^(0o)?[0-7]{1,4}$`))
	}, func(text string) (int, error) {
		v, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 16)
		if err != nil || v > 0o777 {
			return 0, fmt.Errorf("%q is not a mask in octal digits such as 022", text)
		}
		return int(v), nil
	}, func(v int) *node { return textNode(fmt.Sprintf("%03o", v)) })
}

// fileMode is the mode of a file that its owner can write.
func fileMode() *kind[int] {
	return single("octal digits such as 0640", func() schema {
		return or(schema{"type": "integer", "minimum": 128, "maximum": 777}, pattern(`^(0o)?0?[2367][0-7]{2}$`))
	}, func(text string) (int, error) {
		v, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 16)
		if err != nil || v > 0o777 || v&0o200 == 0 {
			return 0, fmt.Errorf("%q is not a mode in octal digits such as 0640 that lets the owner write", text)
		}
		return int(v), nil
	}, func(v int) *node { return textNode(fmt.Sprintf("%04o", v)) })
}

// processors is a number of processors with at most two digits after the point, above 0.
func processors() *kind[float64] {
	const most = 1_000_000
	return single("a number such as 2 or 0.5", func() schema {
		return or(schema{"type": "number", "minimum": 0.01, "maximum": most}, pattern(`^[0-9]+(\.[0-9]{1,2})?$`))
	}, func(text string) (float64, error) {
		whole, part, _ := strings.Cut(text, ".")
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || strings.Trim(whole+part, "0123456789") != "" || len(part) > 2 || v < 0.01 || v > most {
			return 0, fmt.Errorf("%q is not a number of processors such as 2 or 0.5, from 0.01 to %d", text, most)
		}
		return v, nil
	}, func(v float64) *node { return plainNode(strconv.FormatFloat(v, 'f', -1, 64)) })
}

// wholeSeconds is a duration without fractions of a second.
func wholeSeconds() *kind[time.Duration] {
	k := duration(false)
	read := k.read
	k.read = func(r *reader, n *node, v *time.Duration) {
		if read(r, n, v); *v%time.Second != 0 {
			r.wrongf(n.at, "%s is not a whole number of seconds", durationText(*v))
		}
	}
	return k
}

// atLeast is a kind with a least value.
func atLeast[V int64 | uint64](k *kind[V], least V, what string) *kind[V] {
	read := k.read
	k.read = func(r *reader, n *node, v *V) {
		before := len(r.problems)
		if read(r, n, v); *v < least && len(r.problems) == before {
			r.wrongf(n.at, "must be %s", what)
		}
	}
	return k
}
