package txn

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// sqliteDB is an open SQLite database: one connection that writes, a pool of
// connections that read, and one for checkpoints.
type sqliteDB struct {
	engine      *engine
	connect     connectFunc
	writer      *writer
	readers     *pool
	checkpoints *checkpointer
	files       *fileWatch
}

// connectFunc opens a connection, for writing or read-only.
type connectFunc func(ctx context.Context, write bool) (session, error)

func newSQLiteDB(ctx context.Context, e *engine, path string, connect connectFunc, changed func([]Change)) (*sqliteDB, error) {
	readers := 2*runtime.GOMAXPROCS(0) + 2
	d := &sqliteDB{engine: e, connect: connect}
	d.readers = newPool(readers, d.openReader)
	file, err := lookAt(path)
	if err != nil {
		return nil, err
	}
	write, err := connect(ctx, true)
	if err != nil {
		return nil, err
	}
	if d.writer, err = newWriter(write, e); err != nil {
		return nil, errors.Join(err, write.close())
	}
	if d.files, err = watchFiles(file); err != nil {
		return nil, errors.Join(err, write.close())
	}
	d.writer.files = d.files
	move, err := connect(ctx, true)
	if err != nil {
		return nil, errors.Join(err, write.close())
	}
	d.checkpoints = newCheckpointer(move, d.writer)
	d.writer.changed = changed
	d.writer.written = d.checkpoints.written
	go d.writer.run()
	go d.checkpoints.run()
	return d, nil
}

// openReader opens a read-only connection and checks that it has the same file open
// as the other connections.
func (d *sqliteDB) openReader(ctx context.Context) (session, error) {
	s, err := d.connect(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := d.files.database.check(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (d *sqliteDB) update(ctx context.Context, fn func(*Tx) error) error {
	return d.engine.classify(d.writer.do(ctx, fn))
}

func (d *sqliteDB) updateLong(ctx context.Context, fn func(*Tx) error) error {
	return d.update(ctx, fn)
}

func (d *sqliteDB) viewLong(ctx context.Context, fn func(*Tx) error) error { return d.view(ctx, fn) }

func (d *sqliteDB) view(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := d.files.unavailable(); err != nil {
		return d.engine.classify(err)
	}
	s, err := d.readers.take(ctx)
	if err != nil {
		return d.engine.classify(err)
	}
	tx := &Tx{ctx: ctx, lookups: context.Background(), session: s, engine: d.engine}
	ended := false
	defer func() {
		if ended {
			d.readers.put(s)
		} else {
			d.readers.drop(s)
		}
	}()
	if _, err := s.exec(context.Background(), "BEGIN", nil); err != nil {
		return d.engine.classify(fmt.Errorf("begin: %w", err))
	}
	err = fn(tx)
	_, endErr := s.exec(context.Background(), "COMMIT", nil)
	ended = endErr == nil
	d.writer.awaitNotified()
	return d.engine.classify(err)
}

func (d *sqliteDB) close() error {
	return errors.Join(d.readers.close(), d.checkpoints.stop(), d.writer.stop())
}
