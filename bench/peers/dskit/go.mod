module github.com/lastcall-go/lastcall/bench/peers/dskit

go 1.26.0

require (
	github.com/grafana/dskit v0.0.0-20260703122047-de1ec7541c44
	github.com/lastcall-go/lastcall/bench v0.0.0
)

require (
	github.com/pkg/errors v0.9.1 // indirect
	go.uber.org/atomic v1.11.0 // indirect
)

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
