//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	// standstill is how long the end waits for who reads the output and does not go on.
	standstill = 5 * time.Second
	// forcedStandstill is that for who wants it to end at once.
	forcedStandstill = 100 * time.Millisecond
	// silence is how long it does so without a word.
	silence = time.Second
)

// closeOutput waits until the output has been read, as long as somebody reads it and no signal asks for the end at once, and says
// what was lost.
func (s *Supervisor) closeOutput(signals <-chan os.Signal) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	patience := standstill
	if forced := (*lastcall.ForcedError)(nil); errors.As(s.err, &forced) {
		patience = forcedStandstill
	}
	ended := make(chan error, 1)
	go func() { ended <- s.out.Close(ctx, patience) }()
	timer := time.NewTimer(silence)
	defer timer.Stop()
	var stops <-chan os.Signal // those of a moment ago were for what has ended
	for {
		select {
		case err := <-ended:
			if err != nil {
				fmt.Fprintln(os.Stderr, "lastcall:", text.Error(err))
			}
			return
		case <-timer.C:
			for range len(signals) {
				<-signals
			}
			stops = signals
			fmt.Fprintf(os.Stderr, "lastcall: waiting for who reads the output; %s to exit at once\n", s.opts.Interrupt)
		case sig := <-stops:
			if isStop(sig) {
				cancel()
			}
		}
	}
}
