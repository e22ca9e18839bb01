//go:build unix

package supervisor

import (
	"errors"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/process"
)

// Statuses that are no process's own.
const (
	statusFailed   = 1
	statusStart    = 3
	statusCut      = 4
	statusNoRun    = 126
	statusNotFound = 127
)

// statusOf is the exit status for how one process ended, as a shell would have it.
func statusOf(err error) int {
	var (
		exit   *process.ExitError
		start  *process.StartError
		ready  *process.ReadyError
		family *process.FamilyError
	)
	switch {
	case err == nil, errors.Is(err, lastcall.ErrStopping):
		return 0
	case errors.As(err, &exit):
		return exit.Status()
	case errors.As(err, &start) && start.NotFound():
		return statusNotFound
	case errors.As(err, &start):
		return statusNoRun
	case errors.As(err, &ready):
		return statusStart
	case errors.As(err, &family):
		return statusCut
	}
	return statusFailed
}

// wasCut reports whether something in err had to be killed, or was left.
func wasCut(err error) bool {
	var (
		exit   *process.ExitError
		family *process.FamilyError
	)
	return errors.Is(err, lastcall.ErrInterrupted) || errors.Is(err, lastcall.ErrAbandoned) || errors.As(err, &family) || errors.As(err, &exit) && exit.Killed
}

// ExitStatus is the exit status for the error of Run:
//
//   - 0 if everything stopped well, on request or because it was done.
//   - Otherwise that of a process that failed by itself: under the rule "first" that of the first, under "essential" of the first
//     essential one that ended, under "worst" the highest of all. It is its exit code, or 128+n if it died of signal n; 127 if
//     its program was not found and 126 if it could not be run; 3 if it was not ready in time; 1 if it failed otherwise.
//     One with on_exit: continue counts only if no other failed.
//   - Otherwise 4: something had to be killed, or was left behind.
//   - 3 if nothing could be started.
//   - After a lastcall.ForcedError that of lastcall.ExitCode.
func (s *Supervisor) ExitStatus(err error) int {
	var forced *lastcall.ForcedError
	var invalid *lastcall.ConfigError
	if errors.As(err, &forced) || errors.As(err, &invalid) {
		return lastcall.ExitCode(err)
	}
	s.mu.Lock()
	rule, essential := s.file.Exit, s.essential
	s.mu.Unlock()
	status := 0
	switch failed := failures(err); {
	case rule == config.ExitEssential && essential != nil:
		status = *essential
	case rule == config.ExitWorst:
		for _, err := range failed {
			status = max(status, statusOf(err))
		}
	case len(failed) > 0:
		status = statusOf(failed[0])
	}
	if status == 0 && wasCut(err) {
		status = statusCut
	}
	return status
}

// failures are the processes in err that failed by themselves, in order.
func failures(err error) (list []error) {
	all := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		all = many.Unwrap()
	}
	for _, err := range all {
		exit := (*process.ExitError)(nil)
		if own := errors.As(err, &exit) && !exit.Killed; errors.Is(err, lastcall.ErrFailed) && (own || !wasCut(err)) {
			list = append(list, err)
		}
	}
	return list
}
