module github.com/lastcall-go/lastcall/bench/peers/stopper

go 1.26.0

require (
	github.com/lastcall-go/lastcall/bench v0.0.0
	vawter.tech/stopper/v2 v2.0.0-rc.1
)

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
