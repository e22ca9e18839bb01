// Package output brings together what many children write, line by line.
package output
