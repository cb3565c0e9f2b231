package db_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// fullCustomer returns a customer with something in every field.
func fullCustomer(id int64) cohort.Customer {
	return cohort.Customer{
		ID: id, Company: `O'Neil & "Söhne" $1 ?`, FirstName: strings.Repeat("🛒", 100), LastName: "\t\x01 ",
		Email: "Jörg@Bücher.example", Phone: "+49 (0)30 1", StoreCredit: decimal.RequireFromString("9999999999999999.9999"),
		RegistrationIPAddress: "2001:db8::1", GroupID: math.MaxInt64, Notes: strings.Repeat("ü", 65_535),
		TaxExemptCategory: "A%", ResetPassOnLogin: true, AcceptsMarketing: true,
		OriginChannelID: math.MaxInt64, ChannelIDs: []int64{1, math.MaxInt64}, DateCreated: time.UnixMilli(-1).UTC(), DateModified: t0.Add(time.Millisecond),
	}
}

// deleteCustomer reads a customer and deletes it, as the service does.
func deleteCustomer(tx *db.Tx, store string, id int64) error {
	c, err := tx.Customer(store, id)
	if err != nil {
		return err
	}
	return tx.DeleteCustomer(store, c)
}

// wantCustomers fails unless the store has exactly these customers in the list and
// read one by one.
func wantCustomers(t testing.TB, d *db.DB, store string, want ...cohort.Customer) {
	t.Helper()
	if diff := cmp.Diff(want, listCustomers(t, d, store, allCustomers), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("customers of %s (-want +got):\n%s", store, diff)
	}
	for _, c := range want {
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.Customer(store, c.ID)
			if diff := cmp.Diff(c, got); diff != "" {
				t.Errorf("customer %d of %s (-want +got):\n%s", c.ID, store, diff)
			}
			return err
		})
	}
}

func wantPasswordHash(t testing.TB, d *db.DB, store string, id int64, want string) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, err := tx.PasswordHash(store, id)
		if got != want {
			t.Errorf("customer %d of %s has the password hash %q, want %q", id, store, got, want)
		}
		return err
	})
}

func TestCustomerRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		customers := []cohort.Customer{newCustomer(1, 0), fullCustomer(2), newCustomer(math.MaxInt64, 5)}
		addCustomers(t, d, "a", customers...)
		wantCustomers(t, d, "a", customers...)
		wantPasswordHash(t, d, "a", 2, "hash")
	})
}

// TestCustomerOfOlderVersion checks a row that a node of an older version inserts,
// without the columns that it does not know.
func TestCustomerOfOlderVersion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		want := newCustomer(1, 0)
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO customers (store_hash, id, company, first_name, last_name, email, email_folded, phone, store_credit,
				registration_ip_address, customer_group_id, notes, tax_exempt_category, reset_pass_on_login, accepts_marketing, password_hash,
				date_created, date_modified) VALUES ('a', 1, '', $1, $2, $3, $3, '', '0.0000', '', 0, '', '', FALSE, FALSE, '', $4, $4)`,
				want.FirstName, want.LastName, want.Email, want.DateCreated.UnixMilli())
			return err
		})
		want.OriginChannelID = 1
		wantCustomers(t, d, "a", want)
	})
}

func TestUpdateCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		first, second := newCustomer(1, 3), newCustomer(2, 3)
		addCustomers(t, d, "a", first, second)

		changed := fullCustomer(1)
		update(t, d, func(tx *db.Tx) error { return tx.UpdateCustomer("a", first, changed, "") })
		changed.DateCreated, changed.OriginChannelID = first.DateCreated, first.OriginChannelID // an update does not change them
		wantCustomers(t, d, "a", changed, second)
		wantPasswordHash(t, d, "a", 1, "hash")

		update(t, d, func(tx *db.Tx) error { return tx.UpdateCustomer("a", changed, changed, "new") })
		wantCustomers(t, d, "a", changed, second)
		wantPasswordHash(t, d, "a", 1, "new")
		wantPasswordHash(t, d, "a", 2, "hash")
	})
}

func TestCustomerNotFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "b", newCustomer(1, 0))
		for name, fn := range map[string]func(tx *db.Tx) error{
			"get":    func(tx *db.Tx) error { _, err := tx.Customer("a", 1); return err },
			"delete": func(tx *db.Tx) error { return tx.DeleteCustomer("a", newCustomer(1, 0)) },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: got %v", name, err)
			}
		}
		wantPasswordHash(t, d, "a", 1, "")
		wantCustomers(t, d, "b", newCustomer(1, 0))
	})
}

func TestDeleteCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0), newCustomer(3, 0))
		update(t, d, func(tx *db.Tx) error { return deleteCustomer(tx, "a", 2) })
		wantCustomers(t, d, "a", newCustomer(1, 0), newCustomer(3, 0))
		wantPasswordHash(t, d, "a", 2, "")
	})
}

// sameEmails are pairs of spellings of one email.
var sameEmails = map[string][2]string{
	"itself":                    {"ada@example.com", "ada@example.com"},
	"ASCII":                     {"Ada@Example.COM", "aDA@eXAMPLE.com"},
	"sharp s and SS":            {"straße@example.com", "STRASSE@example.com"},
	"capital sharp s":           {"straße@example.com", "STRAẞE@example.com"},
	"É composed and not":        {"Ren\u00c9@example.com", "rene\u0301@example.com"},
	"marks in another order":    {"a\u0323\u0301@example.com", "A\u0301\u0323@example.com"},
	"capital dotted İ":          {"\u0130@example.com", "i\u0307@example.com"},
	"final and other sigma":     {"ΣΟΦΟΣ@example.com", "σοφος@example.com"},
	"the Kelvin sign":           {"\u212a@example.com", "k@example.com"},
	"ligature":                  {"o\ufb03ce@example.com", "OFFICE@example.com"},
	"ypogegrammeni":             {"\u1fb3@example.com", "\u0391\u0399@example.com"},
	"a capital that decomposes": {"\u01f0@example.com", "J\u030c@example.com"},
	"a capital in two parts":    {"\u0390@example.com", "\u03aa\u0301@example.com"},
}

// differentEmails are pairs of similar but different emails.
var differentEmails = map[string][2]string{
	"an accent":               {"rené@example.com", "rene@example.com"},
	"dotless i":               {"ı@example.com", "i@example.com"},
	"capital dotted İ":        {"\u0130@example.com", "i@example.com"},
	"Cyrillic а":              {"\u0430da@example.com", "ada@example.com"},
	"umlaut and ae":           {"jürgen@example.com", "juergen@example.com"},
	"full width":              {"ａda@example.com", "ada@example.com"},
	"a dot":                   {"a.da@example.com", "ada@example.com"},
	"a wildcard":              {"ad_@example.com", "ada@example.com"},
	"another wildcard":        {"%@example.com", "ada@example.com"},
	"a space at the end":      {"ada@example.com ", "ada@example.com"},
	"one begins as the other": {"ada@example.co", "ada@example.com"},
}

// TestEmailFolding checks that lookups and the unique index treat all spellings of
// an email as equal, and no other emails.
func TestEmailFolding(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for same, pairs := range map[bool]map[string][2]string{true: sameEmails, false: differentEmails} {
			for name, pair := range pairs {
				t.Run(name, func(t *testing.T) {
					addStores(t, d, "a")
					checkFolding(t, d, same, pair[0], pair[1])
					update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
				})
			}
		}
	})
}

func checkFolding(t *testing.T, d *db.DB, same bool, one, other string) {
	t.Helper()
	first, second := newCustomer(1, 0), newCustomer(2, 0)
	first.Email = one
	addCustomers(t, d, "a", first, second)

	wantID := int64(0)
	if same {
		wantID = 1
	}
	view(t, d, func(tx *db.Tx) error {
		owners, err := tx.CustomerIDsByEmails("a", []string{other, "none@example.com"})
		if id := owners[db.Fold(other)]; id != wantID || len(owners) != int(wantID) {
			t.Errorf("%q is the email of customer %d, want %d (all: %v)", other, id, wantID, owners)
		}
		return err
	})
	if n := countCustomers(t, d, "a", cohort.CustomerFilter{Email: &other}); n != wantID {
		t.Errorf("the filter finds %d customers by %q, want %d", n, other, wantID)
	}
	third := newCustomer(3, 0)
	third.Email = other
	for name, take := range map[string]func(*db.Tx) error{
		"insert": func(tx *db.Tx) error { return tx.InsertCustomer("a", third, "") },
		"update": func(tx *db.Tx) error {
			return changeCustomer(tx, "a", 2, func(c *cohort.Customer) { c.Email = other })
		},
	} {
		// The error rolls the transaction back, so that each case starts the same.
		err := d.Update(t.Context(), func(tx *db.Tx) error { return errors.Join(take(tx), flush(tx), errTest) })
		if taken := db.EmailIsTaken(err); taken != same {
			t.Errorf("%s: conflict: %v, error %v", name, taken, err)
		}
	}
	// The stored email is not case-folded.
	if c := listCustomers(t, d, "a", cohort.CustomerFilter{Email: &one}); len(c) != 1 || c[0].Email != one {
		t.Errorf("customers found by %q: %+v", one, c)
	}
}

// TestEmailBecomesFree checks that a customer can change the case of its own email,
// and that another customer can use an email after a change or a deletion.
func TestEmailBecomesFree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		first, second, third := newCustomer(1, 0), newCustomer(2, 0), newCustomer(3, 0)
		first.Email = "ada@example.com"
		addCustomers(t, d, "a", first, second)
		setEmail := func(id int64, email string) {
			t.Helper()
			update(t, d, func(tx *db.Tx) error {
				return changeCustomer(tx, "a", id, func(c *cohort.Customer) { c.Email = email })
			})
		}
		setEmail(1, "ADA@example.com")
		setEmail(1, "lovelace@example.com")
		setEmail(2, "Ada@example.com")
		update(t, d, func(tx *db.Tx) error { return deleteCustomer(tx, "a", 2) })
		third.Email = "ada@EXAMPLE.com"
		addCustomers(t, d, "a", third)
		first.Email = "lovelace@example.com"
		wantCustomers(t, d, "a", first, third)
	})
}

// TestEmailConflict: on an engine with several writers, two transactions can pass
// the service's check for the same email. The unique index rejects one of them,
// and Update says so, at the latest at the commit.
func TestEmailConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		first, second := newCustomer(1, 0), newCustomer(2, 0)
		addCustomers(t, d, "a", first, second)
		again := newCustomer(3, 0)
		again.Email = first.Email
		for name, take := range map[string]func(*db.Tx) error{
			"insert": func(tx *db.Tx) error { return tx.InsertCustomer("a", again, "") },
			"update": func(tx *db.Tx) error {
				return changeCustomer(tx, "a", 2, func(c *cohort.Customer) { c.Email = first.Email })
			},
		} {
			if err := d.Update(t.Context(), take); !db.EmailIsTaken(err) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		wantCustomers(t, d, "a", first, second)
	})
}
