//go:build unix

package output

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// Benchmark is output of real processes through the whole of it: bytes and lines a second as they wrote them, and the
// processor time that this process took, which without the name "pipe" is the mux alone.
//
//	go test -run '^$' -bench . -benchtime 500000x ./internal/supervisor/output
//
// One operation is a line.
func Benchmark(b *testing.B) {
	for _, c := range []struct {
		name    string
		o       Options
		sources int
		line    int // bytes
		piece   int // lines that are written at once
		pipe    bool
	}{
		{"text/1x100", Options{}, 1, 100, 300, false},
		{"text/1x100/pipe", Options{}, 1, 100, 300, true},
		{"text/1x100/singly", Options{}, 1, 100, 1, false},
		{"text/10x100", Options{}, 10, 100, 300, false},
		{"text/100x100", Options{}, 100, 100, 300, false},
		{"text/10x100/singly", Options{}, 10, 100, 1, false},
		{"text/1x20", Options{}, 1, 20, 1000, false},
		{"text/1x1000", Options{}, 1, 1000, 60, false},
		{"full/1x100", Options{Times: "full"}, 1, 100, 300, false},
		{"json/1x100", Options{Times: "full", Format: "json"}, 1, 100, 300, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			if c.pipe {
				o := newStdout(b)
				out = o.w
				go io.Copy(io.Discard, o.r)
			}
			c.o.Out = out
			m := newMux(b, c.o)
			var all sync.WaitGroup
			b.SetBytes(int64(c.line))
			for i := range c.sources {
				s := newSource(b, m, "web-"+strconv.Itoa(i+1), SourceOptions{})
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "OUTPUT_TEST_WRITER="+strconv.Itoa((b.N+c.sources-1)/c.sources),
					"OUTPUT_TEST_LINE="+strconv.Itoa(c.line), "OUTPUT_TEST_PIECE="+strconv.Itoa(c.piece))
				cmd.Stdout = s.File()
				stdin, err := cmd.StdinPipe()
				if err != nil {
					b.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				all.Go(func() {
					stdin.Close() // now it begins
					cmd.Wait()
					flush(b, s)
				})
			}
			before := processorTime(b)
			b.ResetTimer()
			all.Wait()
			closeMux(b, m)
			b.StopTimer()
			took := processorTime(b) - before
			bytes := float64(b.N) * float64(c.line)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mlines/s")
			b.ReportMetric(took.Seconds()/bytes*1e9, "cpu-s/GB")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// writer is the program that the benchmark runs as children.
func writer(lines int) {
	length, _ := strconv.Atoi(os.Getenv("OUTPUT_TEST_LINE"))
	piece, _ := strconv.Atoi(os.Getenv("OUTPUT_TEST_PIECE"))
	text := bytes.Repeat(append(bytes.Repeat([]byte{'x'}, length-1), '\n'), piece)
	io.Copy(io.Discard, os.Stdin)
	for lines > 0 {
		n := min(lines, piece)
		if _, err := syscall.Write(1, text[:n*length]); err != nil {
			os.Exit(1)
		}
		lines -= n
	}
}

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv("OUTPUT_TEST_WRITER")); err == nil {
		writer(n)
		return
	}
	testsignals.Default()
	os.Exit(m.Run())
}
