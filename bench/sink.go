package main

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
)

// pipeSink reads a pipe as fast as it can.
type pipeSink struct {
	reader, writer *os.File
	at             atomic.Int64
	text           []byte
	done           chan error
}

func newPipeSink(size int) (sink, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s := &pipeSink{reader: reader, writer: writer, text: make([]byte, 0, size), done: make(chan error, 1)}
	clear(s.text[:size]) // or the reader would wait for memory
	go func() { s.done <- s.read() }()
	return s, nil
}

func (s *pipeSink) read() error {
	for {
		if len(s.text) == cap(s.text) {
			s.text = append(s.text, 0)[:len(s.text)]
		}
		n, err := s.reader.Read(s.text[len(s.text):cap(s.text)])
		s.text = s.text[:len(s.text)+n]
		if n > 0 {
			s.at.Store(monotonic())
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
	}
}

func (s *pipeSink) end() *os.File { return s.writer }
func (s *pipeSink) last() int64   { return s.at.Load() }

func (s *pipeSink) close() ([]byte, error) {
	s.writer.Close()
	err := <-s.done
	s.reader.Close()
	return s.text, err
}

// fileSink is a file that is looked at from time to time.
type fileSink struct {
	file *os.File
	size int64
	at   int64
}

func newFileSink(path string) (sink, error) {
	file, err := os.Create(path)
	return &fileSink{file: file}, err
}

func (s *fileSink) end() *os.File { return s.file }

func (s *fileSink) last() int64 {
	if info, err := s.file.Stat(); err == nil && info.Size() != s.size || s.at == 0 {
		s.size, s.at = info.Size(), monotonic()
	}
	return s.at
}

func (s *fileSink) close() ([]byte, error) {
	defer os.Remove(s.file.Name())
	text, err := os.ReadFile(s.file.Name())
	return text, errors.Join(err, s.file.Close())
}
