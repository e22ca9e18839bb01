package config

import (
	"slices"
	"strings"
)

// merge puts variables into env: one that is there already gets the new value at its old place.
func merge(env []string, with ...string) []string {
	if len(with) == 0 {
		return env
	}
	at := make(map[string]int, len(env)+len(with))
	for i, v := range slices.Backward(env) { // the first counts
		name, _, _ := strings.Cut(v, "=")
		at[name] = i
	}
	for _, v := range with {
		name, _, _ := strings.Cut(v, "=")
		if i, ok := at[name]; ok {
			env[i] = v
			continue
		}
		at[name] = len(env)
		env = append(env, v)
	}
	return env
}

// indexOf is where env has the variable, -1 if nowhere.
func indexOf(env []string, name string) int {
	for i, v := range env {
		if len(v) > len(name) && v[len(name)] == '=' && v[:len(name)] == name {
			return i
		}
	}
	return -1
}

// without is env without a variable.
func without(env []string, name string) []string {
	if i := indexOf(env, name); i >= 0 {
		return slices.Concat(env[:i], env[i+1:])
	}
	return env
}
