package service

import (
	"context"
	"fmt"
	"strings"
)

// Cluster describes the servers of a database that Citus distributes.
type Cluster struct {
	Version string // of Citus
	Workers int
	Worker  bool // the database is open at a worker, not at the coordinator
}

// Cluster returns ok false if the database is on one server.
func (s *Service) Cluster() (c Cluster, ok bool) {
	d, ok := s.db.Cluster()
	return Cluster(d), ok
}

// LostWorkersError says which workers of a distributed database do not respond. The stores
// on the others are served.
type LostWorkersError struct {
	Workers []string // HOST:PORT
}

// Error implements error.
func (e *LostWorkersError) Error() string {
	return "workers that do not respond: " + strings.Join(e.Workers, ", ")
}

// Complete returns nil if all servers of the database respond, and a LostWorkersError if
// workers do not. It asks them, or uses a result that is less than a second old.
func (s *Service) Complete(ctx context.Context) error {
	if _, distributed := s.Cluster(); !distributed {
		return nil
	}
	return s.servers.result(ctx)
}

func (s *Service) askServers(ctx context.Context) error {
	lost, err := s.db.LostWorkers(ctx)
	if err != nil {
		return fmt.Errorf("ask the workers: %w", err)
	}
	if len(lost) > 0 {
		return &LostWorkersError{Workers: lost}
	}
	return nil
}
