// Command web takes the shop's orders: it asks the stock, and passes available items to the packer.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

func main() {
	listener, err := serve.Inherited("http")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", order)
	group := lastcall.Group{Observe: func(e lastcall.Event) {
		if e.Name == "" && e.State == lastcall.StateReady {
			fmt.Println("serving")
		}
	}}
	group.Add("http", serve.HTTP(&http.Server{Addr: "127.0.0.1:8080", Handler: mux}, listener, serve.Held()))
	lastcall.Main(&group)
}

// order reads a body such as "3 pens".
func order(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 100))
	count, item, ok := strings.Cut(strings.TrimSpace(string(body)), " ")
	if err != nil || !ok || strings.ContainsAny(item, "/\n") {
		http.Error(w, "an order is a number and a thing, such as: 3 pens", http.StatusBadRequest)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://127.0.0.1:8081/"+count+"/"+item, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		http.Error(w, "there are not so many "+item, http.StatusConflict)
		return
	}
	packer, err := os.OpenFile("orders", os.O_WRONLY, 0)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer packer.Close()
	fmt.Fprintln(packer, count, item)
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, "%s %s are on their way\n", count, item)
}
