package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/lastcall-go/lastcall/internal/nearest"
)

// A socket is a listener, and where it stands.
type socket struct {
	Listener
	at position
}

// listeners is one address, which is named after the process, or several with names.
func listeners() *kind[[]socket] {
	address := socketAddress()
	single := &kind[[]socket]{form: address.form, read: func(r *reader, n *node, v *[]socket) {
		s := socket{Listener{Name: r.process}, n.at}
		address.read(r, n, &s.Listener)
		*v = []socket{s}
	}, write: func([]socket) *node { return nil }}
	named := &kind[[]socket]{
		form: form{shape: mapping, words: "a mapping of names to addresses", schema: func() schema {
			return schema{"type": "object", "additionalProperties": address.schema()}
		}},
		read: func(r *reader, n *node, v *[]socket) {
			path := r.path
			for _, e := range n.entries {
				r.path = append(path[:len(path):len(path)], e.key)
				if err := checkName(e.key); err != nil {
					r.wrongValue(e.at, err)
				}
				s := socket{Listener{Name: e.key}, e.value.at}
				address.read(r, e.value, &s.Listener)
				*v = append(*v, s)
				r.path = path
			}
		},
		write: func(v []socket) *node {
			n := &node{kind: mapping}
			for _, s := range v {
				n.entries = append(n.entries, entry{key: s.Name, value: address.write(s.Listener)})
			}
			return n
		},
	}
	return either(single, named)
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
				return "", fmt.Errorf("not a URL: %w", errors.Unwrap(err))
			}
			switch {
			case u.Scheme != "http" && u.Scheme != "https":
				return "", fmt.Errorf("%q is not a URL that begins with http:// or https://", text)
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
			return "", "", &hint{fmt.Sprintf("%s:// needs an absolute path", scheme), scheme + ":" + rest}
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
		return "", "", &hint{fmt.Sprintf("unknown kind of socket %q", network), nearest.To(network, networks)}
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
		return fmt.Errorf("the port %q of %q is not a number from 0 to 65535", port, address)
	case strconv.FormatUint(number, 10) != port:
		return fmt.Errorf("the port %q of %q begins with 0", port, address)
	case strings.Contains(host, ":") && !bracketed:
		return &hint{fmt.Sprintf("the address %q has more than one colon", address), "[" + host + "]:" + port}
	case strings.ContainsAny(host, " \t\n/"):
		return fmt.Errorf("the host %q is not a name or a number", host)
	}
	return nil
}
