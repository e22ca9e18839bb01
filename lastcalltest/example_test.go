package lastcalltest_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/lastcalltest"
)

// A mailer takes mails from a queue and sends each, which takes a second.
type mailer struct {
	queue chan string
	sent  func(mail string)
}

func (m *mailer) run(ctx context.Context) error { return lastcall.Drain(ctx, m.queue, m.send) }

func (m *mailer) send(ctx context.Context, mail string) error {
	if err := lastcall.Sleep(ctx, time.Second); err != nil {
		return err
	}
	m.sent(mail)
	return nil
}

// In a program this is TestMailer: a mail that is in flight at the soft stop is sent.
func testMailer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		m := &mailer{make(chan string), func(mail string) { sent = append(sent, mail) }}
		w := lastcalltest.Go(t, "mailer", m.run)
		w.AwaitReady()
		m.queue <- "hello"
		w.AwaitInFlight(1)
		w.Stop()
		w.AssertFinished()
		if !slices.Equal(sent, []string{"hello"}) {
			t.Errorf("sent: %q", sent)
		}
	})
}

// In a program this is TestMailerStress: at whatever instant the stop comes, what the mailer took is sent.
func testMailerStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lastcalltest.Stress{Rounds: 200}.Run(t, func(work *lastcalltest.Work) lastcall.Worker {
			m := &mailer{make(chan string, 10), func(mail string) { work.Finish(mail) }}
			var group lastcall.Group
			group.Go("mailer", m.run)
			group.Go("client", func(ctx context.Context) error {
				for {
					select {
					case m.queue <- "hello":
						work.Accept("hello")
					case <-ctx.Done():
						return nil
					}
				}
			}, lastcall.After("mailer"))
			return &group
		})
	})
}

// The tests of a worker that takes mails from a queue: one stop, and two hundred at random instants.
func Example() {
	_, _ = testMailer, testMailerStress // run by go test
}
