package control

import (
	"fmt"

	"github.com/lastcall-go/lastcall/internal/nearest"
)

// Unknown is the error for a name that is none of those of the processes and instances known.
func Unknown(name string, known []string) *Error {
	text := fmt.Sprintf("no process %q", name)
	if like := nearest.To(name, known); like != "" {
		text += fmt.Sprintf(", did you mean %q?", like)
	} else {
		text += "; lastcall ps shows them"
	}
	return &Error{KindUsage, text}
}
