module github.com/lastcall-go/lastcall/bench/peers/errgroup

go 1.26.0

require (
	github.com/lastcall-go/lastcall/bench v0.0.0
	golang.org/x/sync v0.24.0
)

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
