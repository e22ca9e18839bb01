#include "textflag.h"

// lastcall_entry notes which signals are blocked and ignored, and goes on to where a Go program begins. It is dead code unless the linker
// is told -E lastcall_entry. RSP and R0 are as the kernel or the loader left them when it jumps.
TEXT lastcall_entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVD R0, R19
	MOVD $1, R20             // the signal
	MOVD $1, R21             // its bit
	MOVD $0, R22             // those that are ignored

next:
	MOVD R20, R0
	MOVD $0, R1
	MOVD $·entryAction(SB), R2
	MOVD $8, R3
	MOVD $134, R8            // rt_sigaction
	SVC
	CBNZ R0, after
	MOVD ·entryAction(SB), R4
	CMP  $1, R4              // SIG_IGN
	BNE  after
	ORR  R21, R22

after:
	LSL  $1, R21
	ADD  $1, R20
	CMP  $64, R20
	BLE  next

	MOVD R22, ·entryIgnored(SB)
	MOVD $0, R0              // SIG_BLOCK
	MOVD $0, R1
	MOVD $·entryMask(SB), R2
	MOVD $8, R3
	MOVD $135, R8            // rt_sigprocmask
	SVC
	MOVD $1, R4
	MOVD R4, ·sawEntry(SB)
	MOVD R19, R0
	B    _rt0_arm64_linux(SB)
