package supervisor

import (
	"os"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// Options are what a Supervisor is made from.
type Options struct {
	// Load reads the file; it is called by New and at each reload.
	Load func() (*config.File, error)
	// Only are the processes that are started, and with them what they depend on; none means all. The others can be started later.
	Only []string
	// Grace, if it is not 0, is in place of the file's.
	Grace time.Duration
	// Socket, if it is set, is the control socket in place of the file's.
	Socket string
	// KeepLeftovers leaves alone what outlived an earlier supervisor of the same socket, and only tells of it.
	KeepLeftovers bool
	// Quiet leaves out the messages of starts and stops that go as they should.
	Quiet bool
	// Out is where the output of the processes goes, and messages between it.
	Out *os.File
	// Format, if it is set, is that of the output in place of the file's: text or json.
	Format string
	// Interrupt is how a person stops it, for messages: "Ctrl-C" on a terminal, else "SIGTERM".
	Interrupt string
}
