#include "textflag.h"

// handler notes a signal in caught, apart by whether the kernel sent it, and wakes who waits; see catch_linux.go. It runs on the signal stack of whichever
// thread the kernel picked, so it does nothing but touch memory and write to an eventfd.
// In: DI the signal, SI its siginfo, DX the context.
TEXT ·handler(SB), NOSPLIT|NOFRAME, $0
	MOVL 8(SI), R8           // si_code
	MOVL DI, CX
	DECL CX
	MOVL $1, R9
	SHLQ CX, R9              // its bit
	TESTQ R9, ·faults(SB)
	JZ   preempt
	CMPL R8, $0              // raised by what this program did
	JGT  chain

preempt:
	CMPL DI, $23             // SIGURG
	JNE  pipe
	CMPL R8, $-6             // SI_TKILL: the runtime's, to one of its threads
	JEQ  chain

pipe:
	CMPL DI, $13             // SIGPIPE
	JNE  note
	MOVL 16(SI), R11         // si_pid
	CMPL R11, ·self(SB)
	JEQ  done

note:
	LEAQ ·caught(SB), R10
	CMPL R8, $128            // SI_KERNEL
	JNE  set
	ADDQ $8, R10

set:
	LOCK
	ORQ  R9, (R10)
	MOVL ·wake(SB), DI
	LEAQ ·one(SB), SI
	MOVL $8, DX
	MOVL $1, AX              // write
	SYSCALL

done:
	RET

chain:
	MOVL DI, CX
	LEAQ ·before(SB), R10
	MOVQ (R10)(CX*8), AX
	JMP  AX

// func handlerAddress() uintptr
TEXT ·handlerAddress(SB), NOSPLIT, $0-8
	LEAQ ·handler(SB), AX
	MOVQ AX, ret+0(FP)
	RET
