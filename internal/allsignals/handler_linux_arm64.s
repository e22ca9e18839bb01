#include "textflag.h"

// handler notes a signal in caught, apart by whether the kernel sent it, and wakes who waits; see catch_linux.go. It runs on the signal stack of whichever
// thread the kernel picked, so it does nothing but touch memory and write to an eventfd.
// In: R0 the signal, R1 its siginfo, R2 the context.
TEXT ·handler(SB), NOSPLIT|NOFRAME, $0
	MOVW 8(R1), R3           // si_code
	SUB  $1, R0, R4
	MOVD $1, R5
	LSL  R4, R5, R5          // its bit
	MOVD ·faults(SB), R6
	TST  R5, R6
	BEQ  preempt
	CMPW $0, R3              // raised by what this program did
	BGT  chain

preempt:
	CMPW $23, R0             // SIGURG
	BNE  pipe
	CMNW $6, R3              // SI_TKILL: the runtime's, to one of its threads
	BEQ  chain

pipe:
	CMPW $13, R0             // SIGPIPE
	BNE  note
	MOVW 16(R1), R6          // si_pid
	MOVW ·self(SB), R7
	CMPW R6, R7
	BEQ  done

note:
	MOVD $·caught(SB), R6
	CMPW $128, R3            // SI_KERNEL
	BNE  set
	ADD  $8, R6

set:
	LDAXR (R6), R7
	ORR   R5, R7
	STLXR R7, (R6), R8
	CBNZ  R8, set
	MOVW  ·wake(SB), R0
	MOVD  $·one(SB), R1
	MOVD  $8, R2
	MOVD  $64, R8            // write
	SVC

done:
	RET

chain:
	MOVD $·before(SB), R6
	MOVD (R6)(R0<<3), R7
	JMP  (R7)

// func handlerAddress() uintptr
TEXT ·handlerAddress(SB), NOSPLIT, $0-8
	MOVD $·handler(SB), R0
	MOVD R0, ret+0(FP)
	RET
