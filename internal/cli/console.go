package cli

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type consoleCommands struct {
	Token operatorCommands `cmd:"" help:"Create, list and revoke the tokens with which operators log in."`
}

type operatorCommands struct {
	Create operatorCreate `cmd:"" help:"Create the token of an operator and print it. It is printed only once: Cohort stores its SHA-256."`
	List   operatorList   `cmd:"" help:"List the operators."`
	Revoke operatorRevoke `cmd:"" help:"Revoke the token of an operator, and end all sessions of the operator."`
}

type operatorCreate struct {
	Name     string `required:"" env:"COHORT_NAME" placeholder:"NAME" help:"The name of the operator. The history of a store shows it with each change."`
	ReadOnly bool   `env:"COHORT_READ_ONLY" help:"Let the operator look at everything and change nothing."`
	JSON     bool   `name:"json" help:"Print a JSON object with the operator and the token."`
	dbFlag
}

// operatorJSON is an operator as --json prints it.
type operatorJSON struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	ReadOnly bool   `json:"read_only"`
	Created  string `json:"created"` // RFC 3339, UTC
	Used     string `json:"used"`    // the last login; empty: none
}

func newOperatorJSON(o cohort.Operator) operatorJSON {
	used := ""
	if !o.DateUsed.IsZero() {
		used = dateText(o.DateUsed)
	}
	return operatorJSON{o.ID, o.Name, o.ReadOnly, dateText(o.DateCreated), used}
}

// Run prints the token alone on standard output, for scripts, and everything else on
// standard error. With --json, all is on standard output.
func (c *operatorCreate) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		o, secret, err := svc.CreateOperator(in.ctx, c.Name, c.ReadOnly)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(in, struct {
				operatorJSON
				Token string `json:"token"`
			}{newOperatorJSON(o), secret})
		}
		fmt.Fprintln(in.Out, secret)
		fmt.Fprintf(in.Err, "Operator %s is created, with the id %s. The token, above, is not printed again.\n", o.Name, o.ID)
		return nil
	})
}

type operatorList struct {
	jsonFlag
	dbFlag
}

// Run prints the operators.
func (c *operatorList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		operators, err := svc.ListOperators(in.ctx)
		if err != nil {
			return err
		}
		l := c.newListing(in, "ID", "NAME", "MAY", "CREATED", "LAST LOGIN")
		for _, o := range operators {
			value, may := newOperatorJSON(o), "change"
			if o.ReadOnly {
				may = "read"
			}
			if err := l.add(value, o.ID, o.Name, may, value.Created, value.Used); err != nil {
				return err
			}
		}
		return l.end()
	})
}

type operatorRevoke struct {
	ID string `arg:"" name:"id" help:"The id of the operator, as \"cohort console token list\" prints it."`
	dbFlag
}

// Run deletes the operator.
func (c *operatorRevoke) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		if err := svc.RevokeOperator(in.ctx, c.ID); err != nil {
			return err
		}
		fmt.Fprintf(in.Out, "Operator %s is revoked.\n", c.ID)
		return nil
	})
}
