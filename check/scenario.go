package check

import "slices"

// A Scenario is something that is done to a daemon, and a verdict on how it takes it.
type Scenario struct {
	Name  string // stable
	Means string // what it means for users, one line
	Does  string // what is done
	Fails string // when the verdict is fail, or warn
	Needs string // without which it is skipped; "" if nothing

	play func(*runner)
}

// Scenarios are all of them, in the order in which they are played.
func Scenarios() []Scenario { return slices.Clone(scenarios) }

var scenarioNames = func() (list []string) {
	for _, s := range scenarios {
		list = append(list, s.Name)
	}
	return list
}()
