package db

import (
	"context"

	"cohort.example/cohort/internal/txn"
)

// Diagnosis is what [Diagnose] finds out about a database.
type Diagnosis = txn.Diagnosis

// FileDiagnosis is about the file of a SQLite database.
type FileDiagnosis = txn.FileDiagnosis

// FileSystem describes the file system of a folder.
type FileSystem = txn.FileSystem

// ServerDiagnosis is about a PostgreSQL server.
type ServerDiagnosis = txn.ServerDiagnosis

// Diagnose looks at the database at a URL and changes nothing; see [txn.Diagnose].
func Diagnose(ctx context.Context, url string) (Diagnosis, error) {
	return txn.Diagnose(ctx, url, Schema())
}
