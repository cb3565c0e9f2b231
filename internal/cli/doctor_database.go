package cli

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/numeral"
)

func (c *doctorCommand) checkDatabase(ctx context.Context) (all []finding) {
	d, err := db.Diagnose(ctx, c.DB)
	if err != nil {
		return []finding{{"database", problem, describe(err), "Correct --db or COHORT_DB, or what the message names."}}
	}
	if d.File != nil {
		all = append(all, fileFindings(d.File)...)
	}
	if d.Server != nil {
		all = append(all, serverFindings(d.Server)...)
	}
	return append(all, schemaFinding(d))
}

func schemaFinding(d db.Diagnosis) finding {
	switch {
	case !d.Exists:
		return finding{"schema", warning, "there are no tables yet", "\"cohort store create\" or \"cohort serve\" makes them."}
	case d.Schema > d.Newest:
		return finding{"schema", problem, fmt.Sprintf("its version is %d, and this version of cohort knows %d", d.Schema, d.Newest),
			"Use the version of cohort that made it, or a newer one."}
	case d.Schema < d.Newest:
		return finding{"schema", warning, fmt.Sprintf("its version is %d, and this version of cohort has %d", d.Schema, d.Newest),
			"Make a backup with the old version; the next command of this one upgrades the schema."}
	}
	return ok("schema", fmt.Sprintf("version %d", d.Schema))
}

// The free space below which checkDatabase warns.
const (
	wantedFree      = 1 << 30 // bytes
	wantedFreeShare = 20      // of the file system, as its n-th part
)

func fileFindings(f *db.FileDiagnosis) (all []finding) {
	s := f.System
	switch {
	case s.Network:
		all = append(all, finding{"file system", problem, f.Path + " is on a network file system (" + s.Name + ")",
			"Put the database on a local disk: locks and write-ahead logs do not work there. For several machines use PostgreSQL."})
	case s.Memory:
		all = append(all, finding{"file system", problem, f.Path + " is in memory (" + s.Name + ")",
			"Put the database on a disk, unless it is for tests: a restart of the machine loses it."})
	case s.Layer:
		all = append(all, finding{"file system", warning, f.Path + " is in the layer of a container (" + s.Name + ")",
			"Mount a volume for it: the database is lost with the container."})
	default:
		all = append(all, ok("file system", f.Path))
	}
	if s.Of > 0 && (s.Free < wantedFree && s.Free < s.Of/wantedFreeShare) {
		all = append(all, finding{"space", warning, fmt.Sprintf("%s are free of %s", numeral.Bytes(s.Free), numeral.Bytes(s.Of)),
			"Make room: on a full disk every write gets a 503."})
	}
	if f.OpenToOthers {
		all = append(all, finding{"permissions", warning, "other users can read or write the file, which holds password hashes", "chmod 600 " + f.Path})
	}
	return all
}

// oldestPostgreSQL is the oldest version that the tests run on.
const oldestPostgreSQL = 15

// maxClockOffset is how far the clocks of a node and of the database may be apart.
const maxClockOffset = 2 * time.Second

func serverFindings(s *db.ServerDiagnosis) (all []finding) {
	add := func(check string, state findingState, what, advice string) {
		all = append(all, finding{check, state, what, advice})
	}
	if v := s.EngineVersion(); v < oldestPostgreSQL {
		add("postgresql", warning, fmt.Sprintf("it is version %d", v), fmt.Sprintf("Version %d is the oldest one that is tested.", oldestPostgreSQL))
	} else {
		all = append(all, ok("postgresql", fmt.Sprintf("version %d", v)))
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		if s.Settings[name] == "off" {
			add("durability", problem, name+" is off", "Turn it on: a crash of the server can lose or damage what was acknowledged.")
		}
	}
	if s.Settings["synchronous_commit"] == "off" {
		add("durability", problem, "synchronous_commit is off", "Turn it on: a crash of the server loses writes that were acknowledged.")
	}
	if s.Standby {
		add("postgresql", problem, "it is a standby, which takes no writes", "Name the primary, or all hosts with target_session_attrs=read-write.")
	} else if !s.CanCreate {
		add("permissions", warning, "the user may not create tables", "Upgrades need that: GRANT CREATE ON SCHEMA public TO the user, or make it the owner of the database.")
	}
	if s.Encoding != "UTF8" {
		add("postgresql", problem, "the encoding of the database is "+s.Encoding, "Create the database with ENCODING 'UTF8'.")
	}
	if !s.TLS && isRemote(s.Host) {
		add("network", warning, "the connection to "+s.Host+" is not encrypted", "Add sslmode=verify-full to the URL.")
	}
	if offset := s.Ahead.Abs(); offset > maxClockOffset {
		add("clock", warning, fmt.Sprintf("the clock of the database is %s away from the one here", offset.Round(time.Second)),
			"Run a time service on both machines: leases and the lives of tokens depend on the clocks.")
	}
	return all
}

// isRemote reports whether a host of a database URL is not this machine. A path is that of a socket.
func isRemote(host string) bool {
	return host != "" && host[0] != '/' && host != "localhost" && !isLoopback(host)
}
