module github.com/lastcall-go/lastcall/bench/peers/conc

go 1.26.0

require (
	github.com/lastcall-go/lastcall/bench v0.0.0
	github.com/sourcegraph/conc v0.3.0
)

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
