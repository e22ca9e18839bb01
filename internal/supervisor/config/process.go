package config

// A draft is a process as it is read: with what is resolved only when all are known.
type draft struct {
	Process
	at        position
	files     []reference
	env       []string
	after     []dependency
	requires  []reference
	essential *bool
	ports     []socket
}

// processes is a mapping of names to processes.
func processes() *kind[[]*draft] {
	keys := processKeys()
	return &kind[[]*draft]{
		form: form{shape: mapping, words: "a mapping of names to processes", keys: keys.keys, schema: func() schema {
			return schema{
				"type":                 "object",
				"propertyNames":        schema{"pattern": `^[A-Za-z0-9_.-]+$`, "not": schema{"const": reserved}},
				"additionalProperties": objectSchema(&keys),
			}
		}},
		read: func(r *reader, n *node, v *[]*draft) {
			if !r.is(n, mapping, "a mapping of names to processes") {
				return
			}
			path := r.path
			r.path = nil
			for _, e := range n.entries {
				d := &draft{Process: Process{Name: e.key, Dir: n.at.file.dir, Instances: 1}, at: e.at}
				r.process = e.key
				if err := checkName(e.key); err != nil {
					r.process = ""
					r.wrongValue(e.at, err)
					r.process = e.key
				} else if e.key == reserved {
					r.wrongf(e.at, "the name is reserved for messages of lastcall itself")
				}
				keys.read(r, e.value, d)
				*v = append(*v, d)
			}
			r.process, r.path = "", path
		},
		write: func(v []*draft) *node {
			n := &node{kind: mapping}
			for _, d := range v {
				n.entries = append(n.entries, entry{key: d.Name, value: keys.write(d)})
			}
			return n
		},
	}
}

// checkProcess looks for keys of a process that contradict each other.
func checkProcess(r *reader, n *node, d *draft) {
	wrong := func(key, format string, args ...any) {
		for _, e := range n.entries {
			if e.key == key {
				r.wrongf(e.at, format, args...)
			}
		}
	}
	p := &d.Process
	for _, s := range d.ports {
		p.Listen = append(p.Listen, s.Listener)
	}
	switch {
	case d.essential == nil:
	case n.get("on_exit") != nil && *d.essential != (p.OnExit == OnExitEssential):
		wrong("essential", "essential: %t contradicts on_exit: %s", *d.essential, p.OnExit)
	case *d.essential:
		p.OnExit = OnExitEssential
	}
	if p.OnExit == "" {
		p.OnExit = OnExitFail
	}
	if p.Kill == "" {
		p.Kill = "family"
	}
	if p.Restart.When == "" {
		p.Restart.When = "never"
	}
	if n.get("notify") != nil && !p.Notify && (p.Ready.Notify || p.Watchdog > 0) {
		wrong("notify", "notify: false contradicts %s, which needs it", map[bool]string{true: "ready: notify", false: "watchdog"}[p.Ready.Notify])
	}
	if least := 3 + len(p.Listen); p.Ready.FD != 0 && p.Ready.FD < least {
		wrong("ready", "descriptor %d is taken by a socket: use %d or higher", p.Ready.FD, least)
	}
	if p.Port > 0 && indexOf(d.env, "PORT") >= 0 {
		wrong("port", "port contradicts PORT in env")
	}
	if !p.Oneshot && p.Ready == (Ready{Within: p.Ready.Within}) && p.Ready.Within > 0 {
		wrong("ready", "ready has only a time limit: add one of %s", list(readyWays, "or"))
	}
	if p.Oneshot {
		if p.Restart.When == "always" {
			wrong("oneshot", "oneshot contradicts restart: always, because it would never end")
		}
		if p.Ready != (Ready{Within: p.Ready.Within}) {
			wrong("ready", "a oneshot is ready when it has exited with 0: only within is allowed here")
		}
		for _, key := range []string{"liveness", "watchdog", "schedule"} {
			if n.get(key) != nil {
				wrong(key, "%s has no effect on a oneshot, which has ended when it is ready", key)
			}
		}
	}
	if p.Schedule != "" && n.get("watch") != nil {
		wrong("watch", "watch has no effect on a process with a schedule")
	}
	if p.Schedule != "" {
		if n.get("instances") != nil {
			wrong("instances", "a process with a schedule has one instance")
		}
		if p.Restart.When == "always" {
			wrong("restart", "restart: always contradicts the schedule")
		}
		if p.OnExit == OnExitEssential {
			key := "on_exit"
			if n.get(key) == nil {
				key = "essential"
			}
			wrong(key, "a process with a schedule cannot be essential, because each of its runs ends")
		}
	}
}
