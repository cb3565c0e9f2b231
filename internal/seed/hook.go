package seed

import (
	"fmt"
	"slices"

	"cohort.example/cohort"
)

// A webhook belongs to a token, and tokens are not in seeds. An item names the token, by name
// or id, if it is not the first one of the store.

func (l *loader) hooks() error {
	items := l.section("hooks")
	if len(items) == 0 {
		return nil
	}
	tokens, err := l.svc.ListTokens(l.ctx, l.store.Key)
	if err != nil {
		return err
	}
	defer func() { l.client = "" }()
	for i, item := range items {
		p := place{path: fmt.Sprintf("hooks[%d]", i), node: item}
		body := item.copy()
		token, found := ownerOf(tokens, body.take("token"))
		if !found {
			return p.error(&failure{path: "token", detail: "The store has no such token, to which the webhook would belong."})
		}
		l.client = token.ID
		if _, err := l.create("createHook", nil, p, body); err != nil {
			return err
		}
	}
	return nil
}

// ownerOf returns the token that an item names; nil names the first one.
func ownerOf(tokens []cohort.Token, ref *Node) (cohort.Token, bool) {
	names := func(k cohort.Token) bool { return ref.Kind == Text && (k.ID == ref.Text || k.Name == ref.Text) }
	i := 0
	if ref != nil {
		i = slices.IndexFunc(tokens, names)
	}
	if i < 0 || i >= len(tokens) {
		return cohort.Token{}, false
	}
	return tokens[i], true
}

var hookDefaults = map[string]string{"is_active": "true", "headers": "null"}

// hooks returns the webhooks of all tokens, in the order of the tokens.
func (e *exporter) hooks() (all []*Node, err error) {
	tokens, err := e.svc.ListTokens(e.ctx, e.store.Key)
	if err != nil {
		return nil, err
	}
	defer func() { e.client = "" }()
	for i, token := range tokens {
		e.client = token.ID
		list, err := e.list("listHooks", nil, "")
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			h.take("id", "client_id", "store_hash", "created_at", "updated_at")
			h.dropDefaults(hookDefaults)
			if i > 0 {
				h.set("token", newText(referenceTo(tokens, i)))
			}
		}
		all = append(all, list...)
	}
	return all, nil
}

// referenceTo returns the name of a token if no other one is named so, and otherwise its id.
func referenceTo(tokens []cohort.Token, i int) string {
	name := tokens[i].Name
	named, _ := ownerOf(tokens, newText(name))
	if name != "" && named.ID == tokens[i].ID {
		return name
	}
	return tokens[i].ID
}
