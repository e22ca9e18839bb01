// Package pid1 is the smallest right init for one program: lastcall run, and what it does when it is called tini or
// dumb-init.
//
// It starts the program, hands it every signal, reaps what others leave behind, stops the program's whole family when it
// is to stop, and ends as the program did. It is the same as PID 1 of a container and elsewhere.
//
// The program is a [process.Process], alone in a [lastcall.Group], so grace period, escalation and report are the
// library's. What is here is what makes the process in between invisible: signals (package allsignals), the
// terminal (terminal.go), the protocol of service managers (manager.go), and the end (exit.go).
package pid1
