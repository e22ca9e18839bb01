// Package supervisor runs the processes of a configuration as one lastcall.Group, and answers whoever asks for more
// while they run.
//
//	s, err := supervisor.New(supervisor.Options{Load: …, Out: os.Stdout})
//	err = s.Run(ctx, lastcall.FromSignals(signals))
//	fmt.Print(s.Report())
//	os.Exit(s.ExitStatus(err))
//
// Each instance of each process is one worker, flat in the one group, and named after its process: web, or web-1, web-2, …
// where the file says how many. So order, readiness, budget, restarts and the report are the group's. What is here is what
// the group does not know: what a process is made of (definition), what happens around its run (instance), the sockets that
// outlive it (sockets), and what a change of the file means for what runs (reload).
package supervisor
