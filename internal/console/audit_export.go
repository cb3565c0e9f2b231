package console

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

const (
	// maxExported is how many events one export has.
	maxExported = 100_000
	// exportPatience is how long a client may take to receive a part of an export.
	exportPatience = 30 * time.Second
)

// eventWriter writes events in a format.
type eventWriter struct {
	contentType string
	head        func(io.Writer) error
	write       func(io.Writer, cohort.Event) error
}

// eventWriters are the formats of an export.
var eventWriters = map[string]eventWriter{
	"csv":   {"text/csv; charset=utf-8", writeEventHead, writeEventRows},
	"jsonl": {"application/x-ndjson", func(io.Writer) error { return nil }, writeEventLine},
}

// exportEvents sends the events that the filters find, the newest first. It holds one page of
// them in memory, and no transaction while the client receives it.
func (c *call) exportEvents() error {
	format, ok := eventWriters[c.query("format")]
	if !ok {
		return &statusError{http.StatusBadRequest, "An export is in the format csv or jsonl."}
	}
	search, err := c.askedEvents()
	if err != nil {
		return err
	}
	found, err := c.Service.SearchEvents(c.ctx(), c.store.Key, search, service.MaxFoundEvents)
	if err != nil {
		return err
	}
	name := c.store.Hash + "-events." + c.query("format")
	c.w.Header().Set("Content-Type", format.contentType)
	c.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	if c.r.Method == http.MethodHead {
		return nil
	}
	if err := c.streamEvents(format, search, found); err != nil {
		c.Log.Error("the console could not export all events", "store", c.store.Hash, "error", err)
		panic(http.ErrAbortHandler) // so that the client sees that the rest is missing
	}
	return nil
}

func (c *call) streamEvents(format eventWriter, search cohort.EventSearch, found cohort.FoundEvents) (err error) {
	var part bytes.Buffer
	if err := format.head(&part); err != nil {
		return err
	}
	control := http.NewResponseController(c.w)
	for sent := 0; ; {
		for _, e := range found.Events[:min(len(found.Events), maxExported-sent)] {
			if err := format.write(&part, e); err != nil {
				return err
			}
			sent++
		}
		_ = control.SetWriteDeadline(time.Now().Add(exportPatience)) // fails only without a network connection
		if _, err := part.WriteTo(c.w); err != nil {
			return err
		}
		if found.Next == 0 || sent == maxExported {
			return nil
		}
		search.Before = found.Next
		if found, err = c.Service.SearchEvents(c.ctx(), c.store.Key, search, service.MaxFoundEvents); err != nil {
			return err
		}
	}
}

// writeEventLine writes an event as the export of the API has it.
func writeEventLine(w io.Writer, e cohort.Event) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(api.NewEvent(e))
}

func writeEventHead(w io.Writer) error {
	return writeRow(w, []string{
		"number", "date", "type", "customer_group_id", "customer_id", "address_id", "attribute_id", "channel_id", "price_list_id", "assignment_id",
		"category_id", "brand_id", "product_id", "variant_id", "currency", "actor", "actor_name", "reason", "request_id", "field", "before", "after",
	})
}

// writeEventRows writes a row for each field of an event, or one if it has none.
func writeEventRows(w io.Writer, e cohort.Event) error {
	fields, err := fieldsOf(e)
	if err != nil {
		return err
	}
	row := []string{strconv.FormatInt(e.Number, 10), e.Date.Format("2006-01-02T15:04:05.000Z"), string(e.Kind)}
	for _, id := range []int64{
		e.GroupID, e.CustomerID, e.AddressID, e.AttributeID, e.ChannelID, e.PriceListID, e.AssignmentID, e.CategoryID, e.BrandID, e.ProductID, e.VariantID,
	} {
		text := ""
		if id != 0 {
			text = strconv.FormatInt(id, 10)
		}
		row = append(row, text)
	}
	row = append(row, e.Currency, e.Actor, spreadsheetText(e.ActorName), spreadsheetText(e.Reason), e.RequestID)
	if len(fields) == 0 {
		fields = []fieldChange{{}}
	}
	for _, f := range fields {
		if f.Lost {
			f.Before, f.After = "not kept", "not kept"
		}
		if err := writeRow(w, append(row[:len(row):len(row)], f.Name, spreadsheetText(f.Before), spreadsheetText(f.After))); err != nil {
			return err
		}
	}
	return nil
}

func writeRow(w io.Writer, row []string) error {
	c := csv.NewWriter(w)
	if err := c.Write(row); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// spreadsheetText returns a text with an apostrophe before it if a spreadsheet would take it
// for a formula: strangers choose the texts.
func spreadsheetText(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
