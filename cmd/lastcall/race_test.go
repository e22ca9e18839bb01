//go:build race

package main

// raced: the race detector is in this test.
const raced = true
