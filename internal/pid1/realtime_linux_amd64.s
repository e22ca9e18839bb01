#include "textflag.h"

// The kernel calls it as C does: the number is in DI.
TEXT handler<>(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$24, SP
	MOVB	DI, 8(SP)
	MOVL	$1, AX // write
	MOVL	·rawPipe(SB), DI
	LEAQ	8(SP), SI
	MOVL	$1, DX
	SYSCALL
	ADDQ	$24, SP
	RET

TEXT restorer<>(SB),NOSPLIT|NOFRAME,$0
	MOVL	$15, AX // rt_sigreturn
	SYSCALL
	INT	$3

TEXT ·rawHandler(SB),NOSPLIT,$0-8
	LEAQ	handler<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·rawRestorer(SB),NOSPLIT,$0-8
	LEAQ	restorer<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
