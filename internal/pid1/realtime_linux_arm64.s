#include "textflag.h"

// The kernel calls it as C does: the number is in R0, and LR leads to what returns from it.
TEXT handler<>(SB),NOSPLIT|NOFRAME,$0
	SUB	$32, RSP
	MOVB	R0, 16(RSP)
	MOVW	·rawPipe(SB), R0
	ADD	$16, RSP, R1
	MOVD	$1, R2
	MOVD	$64, R8 // write
	SVC
	ADD	$32, RSP
	RET

TEXT ·rawHandler(SB),NOSPLIT,$0-8
	MOVD	$handler<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·rawRestorer(SB),NOSPLIT,$0-8
	MOVD	ZR, ret+0(FP)
	RET
