// Package demo is a small real service in one process, with customers of its own, that is stopped while it is busy. It is
// what `lastcall demo` runs.
//
//	api          POST /orders, GET /orders, /readyz     stops first
//	├── consumer-1…N   take jobs from the queue         stop when the api returned
//	├── stats          writes a summary now and then
//	└── store    a file of orders, synced line by line  stops last
//
// The clients are the outside world: no part of the group, told nothing of the stop. They go on sending until they are
// refused, over raw connections and without a retry, and write down what they were told. At the end their notes are
// compared with the file, read again from the disk: that nothing was lost is counted, not claimed.
package demo
