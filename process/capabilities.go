package process

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Capability is a part of root's rights, see capabilities(7). Only Linux has them.
type Capability uint8

// capabilityNames are those of Linux, by number.
var capabilityNames = strings.Fields(`
	CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN
	NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
	SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
	PERFMON BPF CHECKPOINT_RESTORE`)

// Capabilities are the names of all that there are, without CAP_.
func Capabilities() []string { return slices.Clone(capabilityNames) }

// ParseCapability is the capability of that name, in letters of either case, with or without CAP_.
func ParseCapability(text string) (Capability, error) {
	i := slices.Index(capabilityNames, strings.TrimPrefix(strings.ToUpper(text), "CAP_"))
	if i < 0 {
		return 0, fmt.Errorf("there is no capability %q", text)
	}
	return Capability(i), nil
}

// String is such as "NET_BIND_SERVICE".
func (c Capability) String() string {
	if int(c) < len(capabilityNames) {
		return capabilityNames[c]
	}
	return "Capability(" + strconv.Itoa(int(c)) + ")"
}

// capabilitySet has a bit for each of the list.
func capabilitySet(list []Capability) (set uint64) {
	for _, c := range list {
		set |= 1 << c
	}
	return set
}
