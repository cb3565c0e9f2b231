// Command echo is an upper bound for a Go server that stores nothing: it reads
// the JSON of a customer group and writes it back, with net/http and
// encoding/json as they are.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"time"
)

// group has the fields of a customer group, with their types.
type group struct {
	Name           string `json:"name"`
	CategoryAccess struct {
		Type       string  `json:"type"`
		Categories []int64 `json:"categories"`
	} `json:"category_access"`
	DiscountRules []struct {
		Type       string `json:"type"`
		CategoryID int64  `json:"category_id,omitempty"`
		ProductID  int64  `json:"product_id,omitempty"`
		Method     string `json:"method"`
		Amount     string `json:"amount"`
	} `json:"discount_rules"`
	IsDefault        bool `json:"is_default"`
	IsGroupForGuests bool `json:"is_group_for_guests"`
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", hello)
	mux.HandleFunc("POST /echo", echo)
	server := &http.Server{Addr: *addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func hello(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("hello")) // the client may have gone
}

func echo(w http.ResponseWriter, r *http.Request) {
	var g group
	if err := json.NewDecoder(r.Body).Decode(&g); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := json.Marshal(g)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
