package config

import (
	"time"
)

// stopping is a process where only its stop counts.
type stopping Process

// steps is a stop as it is written.
type steps struct {
	Signal  string
	Steps   []Step
	Command *Command
	Within  time.Duration
	Extend  time.Duration
}

// stop is a signal, a list of steps, or a mapping.
func stop() *kind[stopping] {
	single := signalName()
	sequence := listOf("a list of steps", either(stepWord(), group[Step](stepKeys())))
	whole := group[steps](stopKeys())
	return either(
		&kind[stopping]{form: single.form, read: func(r *reader, n *node, v *stopping) {
			name := ""
			if single.read(r, n, &name); name != "" {
				v.Stop = []Step{{Signal: name}}
			}
		}, write: func(v stopping) *node {
			if len(v.Stop) == 1 && v.StopBy == nil && v.Within == (Timeout{}) {
				return textNode(v.Stop[0].Signal)
			}
			return nil
		}},
		&kind[stopping]{form: sequence.form, read: func(r *reader, n *node, v *stopping) {
			var s steps
			sequence.read(r, n, &s.Steps)
			s.into(r, n, v)
		}, write: func(stopping) *node { return nil }},
		&kind[stopping]{form: whole.form, read: func(r *reader, n *node, v *stopping) {
			var s steps
			whole.read(r, n, &s)
			s.into(r, n, v)
		}, write: func(v stopping) *node {
			s := steps{Command: v.StopBy, Within: v.Within.Stop, Extend: v.Within.Extend}
			if len(v.Stop) == 0 && v.StopBy == nil && v.Within == (Timeout{}) {
				return nil
			}
			switch len(v.Stop) {
			case 0:
			case 1:
				s.Signal = v.Stop[0].Signal
			default:
				s.Steps = v.Stop
			}
			return whole.write(s)
		}},
	)
}

func stopKeys() object {
	return object{
		keys: []*key{
			field("signal", "stop_signal", "The signal. Default: SIGTERM.", signalName(), func(v *steps) *string { return &v.Signal }),
			field("steps", "", "Several signals, one after another, each with its time.", listOf("a list of steps", either(stepWord(), group[Step](stepKeys()))), func(v *steps) *[]Step { return &v.Steps }),
			field("command", "execstop shutdown", "A command that stops the process, such as `pg_ctl stop`, with LASTCALL_PID in its environment. The signals follow if it fails, and when three quarters of the time have passed.", pointerTo(command()), func(v *steps) **Command { return &v.Command }),
			field("within", "timeout grace kill-delay stopwaitsecs timeout_seconds stop-timeout graceful_timeout wait", "The time limit of the whole stop; SIGKILL follows. It never exceeds what `grace` leaves. Default: all of that.", duration(false), func(v *steps) *time.Duration { return &v.Within }),
			field("extend", "", "How much more time in total the process may request with EXTEND_TIMEOUT_USEC. Default: 5m; `none` forbids it.", orNone(duration(false), "none", -1), func(v *steps) *time.Duration { return &v.Extend }),
		},
		check: checks(func(r *reader, n *node, v *steps) {
			if n.get("signal") != nil && n.get("steps") != nil {
				r.wrongf(n.get("steps").at, "signal and steps exclude each other")
			}
		}),
	}
}

func stepKeys() object {
	return object{keys: []*key{
		required(field("signal", "", "The signal.", signalName(), func(v *Step) *string { return &v.Signal })),
		field("within", "timeout wait", "The time until the next step. Only the last step can do without.", duration(false), func(v *Step) *time.Duration { return &v.Within }),
	}}
}

// stepWord is a step that is only a signal.
func stepWord() *kind[Step] {
	k := signalName()
	return &kind[Step]{form: k.form, read: func(r *reader, n *node, v *Step) { k.read(r, n, &v.Signal) }, write: func(v Step) *node {
		if v.Within > 0 {
			return nil
		}
		return textNode(v.Signal)
	}}
}

// into stores the stop in its only form: the last step is without a time of its own, and Within.Stop is that of all.
func (s *steps) into(r *reader, n *node, v *stopping) {
	list := n
	if n.kind == mapping {
		list = n.get("steps")
	}
	v.Within = Timeout{Stop: s.Within, Extend: s.Extend}
	v.StopBy = s.Command
	if s.Signal != "" {
		v.Stop = []Step{{Signal: s.Signal}}
		return
	}
	if list == nil || list.kind != sequence {
		return
	}
	if len(s.Steps) == 0 {
		r.wrongf(list.at, "the list of steps is empty")
		return
	}
	var sum time.Duration
	last := len(s.Steps) - 1
	for i, step := range s.Steps {
		sum += step.Within
		if step.Within == 0 && i < last {
			r.wrongf(list.items[i].at, "step %d needs within, the time until the next", i+1)
		}
	}
	switch within := s.Steps[last].Within; {
	case within > 0 && s.Within > 0:
		r.wrongf(list.items[last].at, "the last step needs no within of its own, because the whole stop has one")
	case s.Within > 0 && sum >= s.Within:
		r.wrongf(list.at, "the steps take %s, which leaves nothing of the %s of the whole stop (within)", durationText(sum), durationText(s.Within))
	case within > 0:
		v.Within.Stop = sum
		s.Steps[last].Within = 0
	}
	v.Stop = s.Steps
}
