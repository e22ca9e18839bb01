//go:build unix

package supervisor

import "github.com/lastcall-go/lastcall"

// follow calls done for each of these instances at the moment when it enters one of the states, once, until the returned function is called,
// which returns those that did. done is called by a goroutine of its own, so that a slow client holds up nothing but itself.
func (s *Supervisor) follow(list []*instance, done func(*instance), states ...lastcall.State) (end func() map[*instance]bool) {
	entered := make(chan *instance, len(list)*len(states)) // so that nothing waits to be put into it
	s.mu.Lock()
	for _, i := range list {
		i.followed = map[lastcall.State]chan<- *instance{}
		for _, state := range states {
			i.followed[state] = entered
		}
	}
	s.mu.Unlock()
	seen := map[*instance]bool{}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for i := range entered {
			if !seen[i] {
				seen[i] = true
				done(i)
			}
		}
	}()
	return func() map[*instance]bool {
		s.mu.Lock()
		for _, i := range list {
			i.followed = nil
		}
		s.mu.Unlock()
		close(entered)
		<-over
		return seen
	}
}

// entered tells of an instance that has entered a state to follow, if somebody does so.
func (s *Supervisor) entered(i *instance, state lastcall.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to := i.followed[state]; to != nil {
		delete(i.followed, state)
		to <- i
	}
}
