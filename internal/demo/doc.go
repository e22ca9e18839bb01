// Package demo is a small real service in one process, with its own clients, that is stopped while it is busy.
// `lastcall demo` runs it.
//
//	api          POST /orders, GET /orders, /readyz     stops first
//	├── consumer-1…N   take jobs from the queue         stop when the api returned
//	├── stats          writes a summary now and then
//	└── store    a file of orders, synced line by line  stops last
//
// The clients are the outside world: they are not part of the group and do not know of the stop. They send until they
// are refused, over raw connections and without a retry, and record each answer. At the end their records are compared
// with the file, read again from the disk, so that losses are counted.
package demo
