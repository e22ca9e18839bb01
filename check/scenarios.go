//go:build unix

package check

// scenarios are in the order in which they are played and reported. Each stands with its play in scenario_NAME.go.
var scenarios = []Scenario{
	idleScenario,
	termScenario,
	intScenario,
	startupScenario,
	inflightScenario,
	loadScenario,
	backlogScenario,
	streamScenario,
	reloadScenario,
	logScenario,
	lameduckScenario,
	twiceScenario,
	stormScenario,
	pausedScenario,
	muteScenario,
	portScenario,
	pid1Scenario,
	againScenario,
	orphansScenario,
}
