// Package process makes a child process a worker of a lastcall group.
//
// # Make
//
//	group.Add("web", &process.Process{
//		Command: []string{"./web", "-port", "8080"},
//		Ready:   process.Ready{TCP: "127.0.0.1:8080", Within: 10 * time.Second},
//	})
//
// The zero value of everything but Command is useful: the output goes where that of this process goes, the child is ready
// once its program runs, SIGTERM stops it, and it has the time that the group gives.
//
// # Run
//
// While nothing happens nothing runs. The end of a child is seen by an event of the system and from the process, never from
// its pipes: by pidfd in the runtime's poller on Linux, by kqueue on the BSDs and macOS. Where the kernel is old or
// refuses, a thread waits for each child; docs/systems.md lists what is used of each system and what happens without it. There is one goroutine a child, the group's; one more for each pipe whose output is copied, and for a
// NOTIFY_SOCKET. Threads do not grow with children: on Linux one makes them all, since the kernel kills a child with
// the thread that made it.
//
// A child that says of itself what it does speaks the protocol of sd_notify(3), which systemd's services speak: READY=1,
// RELOADING=1, STOPPING=1, STATUS=…, MAINPID=…, WATCHDOG=1, WATCHDOG=trigger, WATCHDOG_USEC=… and
// EXTEND_TIMEOUT_USEC=…. STOPPING=1 only informs, and starts no clock. Descriptors sent along are closed.
//
// On Linux a message counts if its sender belongs to the child's family, whatever its user is by then, and else it is ignored. A sender
// that has ended and been reaped before its message was read cannot be looked up. Its message counts only if its user is that of
// this process; other short-lived senders wait with sd_notify_barrier(3), as systemd-notify does. Other systems do not tell the sender of
// every datagram: there the socket's random name, in a directory that cannot be listed, is the secret, and who can read the child's
// environment may speak for it. No message is lost for want of room: a sender that writes faster than 64 messages in 10 ms waits.
//
// Before the child is judged by a deadline (Ready.Within, Watchdog, a step of its stop), everything that it has sent is heard.
// A deadline that this process itself missed, since it was halted or the machine slept, is moved by as much, and at most by the time that it gives.
//
// Sockets that this process holds go to the child with the protocol of sd_listen_fds(3). Its variable LISTEN_PID must have the
// child's own number, which is known only once there is a child; and limits, umask, priority and rights must hold before its
// program runs. So with any of these this program is started again, and before its main sets them and becomes the
// child's program, in some milliseconds; no shell is needed. The init function that does it belongs to this package and
// acts only where it finds the variable LASTCALL_TRAMPOLINE, and never with the privileges of a set-user-ID program or of file
// capabilities. Root starts it as root, and it changes to the user of [Process].Sys after what only root may do: priority and
// limits may be raised, and the user need not be able to read this program. It has the environment of this process; that of the
// child it only hands on.
//
// A child gets the descriptors that are passed to it, and no others; see [Process].InheritFiles.
//
// Probes that are commands, and the commands of [Process.ControlProcess], start as the program does: with its user, directory,
// environment, umask and limits. They belong to its family: what they leave behind is ended with them or with the program.
//
// # Stop
//
// At the soft stop the family ends in order: the main process first, then what is left of its group, then the
// descendants that left group or session; see [Mode] for less. The main process gets the signals of Process.Stop, the others
// the first of them; SIGCONT follows each, so that a halted one hears it. The stop is over when the last is gone.
// Each stage is asked softly and has a share of the time: of three, each of the later two keeps a sixth for itself, if
// there is anybody in it. What has not ended when its time is up gets SIGKILL. At the group's hard stop all that is left
// gets it at once.
//
// The clock belongs to one child. The time that it will have is told to it as LASTCALL_GRACE, in seconds: Process.Grace, or
// what the group's grace period leaves to it at the least (lastcall.GracePeriod), whichever is less. One that makes
// progress may ask for more with EXTEND_TIMEOUT_USEC, within Process.Extend and the group's grace period.
//
// A stop that comes before or during the start is kept: the start is finished and the stop follows, so that no signal
// meets a process between fork and exec. A main process that ends by itself leaves nobody behind either: from that moment the child is
// not ready, and its family is stopped in the same way, and in the time of a stop, before Run returns.
//
// Who was found is in the status that the group's report has, and who had to be killed in a [FamilyError].
//
// # Families
//
// Descendants that lost their ancestry are found because this process adopts orphans: PR_SET_CHILD_SUBREAPER on Linux,
// PROC_REAP_ACQUIRE on FreeBSD. That is a property of the whole process, set when the first child starts whose stop
// reaches further than its main process, or that has a NOTIFY_SOCKET. Orphans of anybody's children in this process come to it from then on; those
// that end are reaped, and the children that package os or os/exec waits for keep their statuses (golang/go#60481). Who
// calls syscall.ForkExec directly on Linux should have a pidfd open of what it waits for.
//
// On Linux it is a random id in the environment, LASTCALL_FAMILY, that tells whose an orphan is; and process group and
// session, where a program has replaced its environment. An orphan that has left both, replaced its environment, and lost its
// parent before the stop tells nothing. A program that starts children in no other way than as a Process calls [Claim]: such
// an orphan is then stopped as a member of the only family that can have it, or of the last one. Other programs may have it from
// a command that they ran with os/exec, and it is left alone. Without /proc a stop reaches what it does on other systems.
//
// On FreeBSD the kernel lists all descendants of this process. Those of a descendant that adopts orphans itself, such as timeout(1) or another
// program with this package, are in its own list, which is read as well; at the hard stop the kernel kills all of them at one time. Processes
// that it does not show (security.bsd.see_other_uids=0) are reported as out of reach.
//
// With Process.Cgroup a family has a control group of its own, where the system lets this process make one (Linux, cgroup v2): its
// members are the family, whatever they changed, and the kernel kills them at one time.
//
// A limit of address space or data that the Go runtime cannot live with ends this process at any time, also during a stop. So
// a program calls [Preflight] before it starts anything.
//
// Other systems (macOS, OpenBSD, NetBSD) give orphans to init and tell nobody: there the stop reaches the main process and its
// group, whose end is looked for every 20 ms during the stop, and what left the group lives on, unseen. Where the members of a group cannot
// be listed, zombies that their own parent does not reap are waited for as if they were alive, until two seconds after SIGKILL. Windows is
// not supported.
//
// # What goes wrong
//
// Run's errors are typed: [StartError] the program could not be run, [ExitError] it ended badly (exit code, death by signal
// and core dump are apart), [ReadyError] it was not ready in time, or ended well before it was ready, [SickError] it missed
// its watchdog or its check, [FamilyError] it left behind what had to be killed. Death by a signal of the stop is clean.
//
// The sudden death of this process takes the main processes along, on Linux and FreeBSD; see Process.Outlive.
package process
