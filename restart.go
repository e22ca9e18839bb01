package lastcall

import (
	"fmt"
	"time"
)

// RestartWhen says after which ends a worker is started again.
type RestartWhen uint8

const (
	// RestartNever: a failure stops the group, and completion is completion. With other fields of a policy set it
	// means RestartOnFailure.
	RestartNever RestartWhen = iota
	// RestartOnFailure: after an error, a panic, runtime.Goexit, or not being ready in time.
	RestartOnFailure
	// RestartAlways: also after it returned nil.
	RestartAlways
)

// RestartPolicy says when and how a worker is started again. Nothing is started again once the soft stop began, and the
// stop does not wait for a back-off to pass.
//
// The back-off starts at MinDelay, or with AtOnce at nothing, and doubles up to MaxDelay, each time shortened by up to a half at random so that
// workers which failed together do not come back together; a start that lasted Stable begins anew. If the worker would
// be started more than Limit times within Within, it failed for good: the group stops, and its parent decides about the
// group by the same rules.
type RestartPolicy struct {
	When     RestartWhen
	MinDelay time.Duration // 0 means 100 ms
	MaxDelay time.Duration // 0 means 30 s
	Stable   time.Duration // 0 means 1 minute
	Limit    int           // 0 means 10; negative means no limit
	Within   time.Duration // 0 means 1 minute
	AtOnce   bool          // the first restart of a series comes without a delay, the second after MinDelay
}

// Permanent marks an error that a restart cannot mend: the worker fails for good whatever its [RestartPolicy].
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

func (p RestartPolicy) withDefaults() RestartPolicy {
	orDefault(&p.MinDelay, 100*time.Millisecond)
	orDefault(&p.MaxDelay, max(30*time.Second, p.MinDelay))
	orDefault(&p.Stable, time.Minute)
	orDefault(&p.Within, time.Minute)
	orDefault(&p.Limit, 10)
	return p
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (p RestartPolicy) problems() (problems []string) {
	for _, field := range []struct {
		name  string
		value time.Duration
	}{{"MinDelay", p.MinDelay}, {"MaxDelay", p.MaxDelay}, {"Stable", p.Stable}, {"Within", p.Within}} {
		if field.value < 0 {
			problems = append(problems, fmt.Sprintf("Restart with negative %s (%v)", field.name, field.value))
		}
	}
	if p.MinDelay > 0 && p.MaxDelay > 0 && p.MinDelay > p.MaxDelay {
		problems = append(problems, fmt.Sprintf("Restart with MinDelay %v above MaxDelay %v", p.MinDelay, p.MaxDelay))
	}
	if p.When > RestartAlways {
		problems = append(problems, fmt.Sprintf("Restart with unknown When (%d)", p.When))
	}
	return problems
}
