package lastcall

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// unreadyError says which workers are not ready.
func (r *run) unreadyError() error {
	r.lock()
	var nested []*Group
	var unready []string
	if r.phase >= engine.GroupLameDuck {
		phase, cause := r.phase, r.cause
		r.unlock()
		if phase == engine.GroupLameDuck {
			return errors.New("lame duck: " + reasonText(cause))
		}
		return errors.New("stopping: " + reasonText(cause))
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
		if err := g.Ready(); err != nil {
			unready = append(unready, strings.TrimPrefix(err.Error(), "not ready: "))
		}
	}
	if len(unready) == 0 {
		return nil
	}
	const most = 10
	if more := len(unready) - most; more > 0 {
		unready = append(unready[:most], fmt.Sprintf("and %d more", more))
	}
	return errors.New("not ready: " + strings.Join(unready, ", "))
}
