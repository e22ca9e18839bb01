#include "textflag.h"

// lastcall_entry notes which signals are blocked and ignored, and goes on to where a Go program begins. It is dead code unless the linker
// is told -E lastcall_entry. SP and DX are as the kernel or the loader left them when it jumps.
TEXT lastcall_entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVQ DX, R12
	MOVQ $1, DI              // the signal
	MOVQ $1, R13             // its bit

next:
	MOVQ $0, SI
	LEAQ ·entryAction(SB), DX
	MOVQ $8, R10
	MOVQ $13, AX             // rt_sigaction
	SYSCALL
	TESTQ AX, AX
	JNE  after
	MOVQ ·entryAction(SB), AX
	CMPQ AX, $1              // SIG_IGN
	JNE  after
	ORQ  R13, ·entryIgnored(SB)

after:
	SHLQ $1, R13
	INCQ DI
	CMPQ DI, $64
	JLE  next

	MOVQ $0, DI              // SIG_BLOCK
	MOVQ $0, SI
	LEAQ ·entryMask(SB), DX
	MOVQ $8, R10
	MOVQ $14, AX             // rt_sigprocmask
	SYSCALL
	MOVQ $1, ·sawEntry(SB)
	MOVQ R12, DX
	JMP  _rt0_amd64_linux(SB)
