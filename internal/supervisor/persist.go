//go:build unix

package supervisor

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// Between two tries to start a program where the system has no descriptor, process or memory left.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// persist calls run, which starts a program, again as long as the system lacks what the start needs: that is no failure of the program,
// and no reason to stop the others. The pauses double, each shortened by up to a half at random. A candidate is not persistent: the
// one whose place it was to take is there.
func (i *instance) persist(ctx context.Context, run func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := run()
		if !i.exhausted(err) || ctx.Err() != nil || i.s.isCandidate(i) {
			return err
		}
		if pause == firstPause {
			i.s.say("%s: %s; retrying until there is room", i.name, text.Error(err))
		}
		lastcall.Status(ctx, text.Error(err)+"; retrying")
		if err := lastcall.Sleep(ctx, pause-rand.N(pause/2)); err != nil {
			return err
		}
	}
}

// exhausted reports whether err is the system's lack, and not that of the process's own limits.
func (i *instance) exhausted(err error) bool {
	return process.Exhausted(err) && (!errors.Is(err, syscall.ENOMEM) || i.def.Limits.Memory == 0)
}
