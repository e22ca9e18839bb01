package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
)

// A held socket stays open for the next instance, unless its holder has released it: then the server that stops is the
// last, and no client waits there in vain.
func TestSocketThatItsHolderLetGo(t *testing.T) {
	for _, let := range []bool{false, true} {
		fd, addr := hold(t)
		ln, err := inheritedFrom(passed("1", "web"), fd, "web")
		if err != nil {
			t.Fatal(err)
		}
		web := HTTP(&http.Server{}, ln)
		group := &lastcall.Group{Grace: time.Hour}
		group.Add("web", web)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		group.Go("holder", func(context.Context) error {
			if let {
				flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
				if err != nil {
					return err
				}
				if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_APPEND); err != nil {
					return err
				}
			}
			cancel()
			return nil
		}, lastcall.After("web"))
		if err := group.Run(ctx); err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", addr)
		if err == nil {
			client.Close()
		}
		if refused := errors.Is(err, syscall.ECONNREFUSED); refused != let {
			t.Errorf("its holder let go: %t; connecting after that gives %v", let, err)
		}
	}
}
