package control

import (
	"fmt"

	"github.com/lastcall-go/lastcall/internal/nearest"
)

// Unknown is the error for a name that is none of those of the processes and instances known, which this command of lastcall shows.
func Unknown(name string, known []string, shownBy string) *Error {
	text := fmt.Sprintf("no process %q", name)
	if like := nearest.To(name, known); like != "" {
		text += fmt.Sprintf(", did you mean %q?", like)
	} else {
		text += "; lastcall " + shownBy + " shows them"
	}
	return &Error{KindUsage, text}
}
