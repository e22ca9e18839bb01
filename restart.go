package lastcall

import (
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// RestartPolicy says when and how a worker is started again, see [Restart]: after a failure, which is an error, a panic,
// runtime.Goexit, or not being ready in time, and with Always also after it returned nil. Nothing is started again once
// the soft stop began, and the stop does not wait for a back-off to pass.
//
// The back-off starts at MinDelay, or with AtOnce at nothing, and doubles up to MaxDelay. Each is shortened by up to a
// half at random, so that workers that failed together do not come back together. An attempt that lasted Stable resets
// the back-off. A worker that would be started more than Limit times within Within fails for good: the group stops, and
// the group around it applies its own policy.
type RestartPolicy struct {
	Always   bool          // also after it completed
	MinDelay time.Duration // 0 means 100 ms
	MaxDelay time.Duration // 0 means 30 s
	Stable   time.Duration // 0 means 1 minute
	Limit    int           // 0 means 10; negative means no limit
	Within   time.Duration // 0 means 1 minute
	AtOnce   bool          // the first restart of a series comes without a delay, the second after MinDelay
}

// Permanent marks an error that a restart cannot fix: the worker fails for good whatever its [RestartPolicy].
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// inEngine is the policy in the engine's words, with its defaults; never for nil.
func (p *RestartPolicy) inEngine() engine.Policy {
	if p == nil {
		return engine.Policy{}
	}
	full := p.withDefaults()
	when := engine.OnFailure
	if full.Always {
		when = engine.Always
	}
	return engine.Policy{
		When: when, MinDelay: full.MinDelay, MaxDelay: full.MaxDelay, Stable: full.Stable, Limit: full.Limit, Within: full.Within, AtOnce: full.AtOnce,
	}
}

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
			problems = append(problems, fmt.Sprintf("Restart: %s must not be negative (%v)", field.name, field.value))
		}
	}
	if p.MinDelay > 0 && p.MaxDelay > 0 && p.MinDelay > p.MaxDelay {
		problems = append(problems, fmt.Sprintf("Restart: MinDelay %v is above MaxDelay %v", p.MinDelay, p.MaxDelay))
	}
	return problems
}
