package lastcall

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// unreadyError says which workers are not ready.
func (r *run) unreadyError() error {
	unready, leaving := r.unreadyWorkers()
	switch {
	case leaving != "":
		return errors.New(leaving)
	case len(unready) == 0:
		return nil
	}
	return errors.New("not ready: " + strings.Join(unready, ", "))
}

// unreadyWorkers are those that are not ready; leaving says that the group is leaving.
func (r *run) unreadyWorkers() (unready []string, leaving string) {
	r.lock()
	var nested []*Group
	if r.phase >= engine.GroupLameDuck {
		phase, cause := r.phase, r.cause
		r.unlock()
		if phase == engine.GroupLameDuck {
			return nil, "lame duck: " + reasonText(cause)
		}
		return nil, "stopping: " + reasonText(cause)
	}
	for _, m := range r.inOrder() {
		switch {
		case m.state == StateStopped: // completed
		case m.state != StateReady:
			unready = append(unready, fmt.Sprintf("%s (%s)", m.path(), m.state))
		case m.extra != nil && m.extra.unready != "":
			unready = append(unready, fmt.Sprintf("%s (%s)", m.path(), m.extra.unready))
		}
		if g, ok := m.w.(*Group); ok && m.state == StateReady {
			nested = append(nested, g)
		}
	}
	r.unlock()
	for _, g := range nested {
		inner := g.current()
		if inner == nil {
			continue
		}
		list, leaving := inner.unreadyWorkers()
		if leaving != "" {
			list = []string{inner.name() + " (" + leaving + ")"}
		}
		unready = append(unready, list...)
	}
	const most = 10
	if more := len(unready) - most; more > 0 {
		unready = append(unready[:most], fmt.Sprintf("and %d more", more))
	}
	return unready, ""
}
