package txn

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// placesLife is how long a node believes where a store is. Citus moves shards seldom,
	// and finds the rows also from the server that had them.
	placesLife = time.Minute
	// maxPlaces bounds how many places are remembered.
	maxPlaces = 100_000
	// dialTimeout is how long a node tries to connect to a worker for the first time, and
	// dialPause how long it uses the server of its URL instead after a failure.
	dialTimeout = 2 * time.Second
	dialPause   = 5 * time.Second
)

// cluster is a database whose tables Citus distributes over several servers. The
// transactions of a store run on the server that has its rows: from any other server Citus
// passes each statement on, which costs more than the statement. If this process cannot
// reach that server, it uses the one of its URL, from where everything works too.
type cluster struct {
	home  *postgresServer // of the URL
	group int             // of Citus, for home
	open  func(host string, port int) (*postgresServer, error)

	mu      sync.Mutex
	known   map[string]knownPlace
	servers map[int]*clusterServer // by group, without home
}

type knownPlace struct {
	shard int64
	group int
	until time.Time
}

// clusterServer is a worker. Its mutex is held while a first connection is made.
type clusterServer struct {
	mu     sync.Mutex
	server *postgresServer // nil: there is no connection yet
	retry  time.Time       // not before
}

// newCluster returns the cluster of a server that is in a group of Citus.
func (d *postgresDB) newCluster(rawURL string, group int) *cluster {
	c := &cluster{home: d.home, group: group, known: map[string]knownPlace{}, servers: map[int]*clusterServer{}}
	c.open = func(host string, port int) (*postgresServer, error) {
		config, err := configOfServer(rawURL, host, port)
		if err != nil {
			return nil, err
		}
		return d.openServer(context.Background(), config)
	}
	return c
}

// configOfServer returns the configuration of a URL for another server with the same
// database and user.
func configOfServer(rawURL, host string, port int) (*pgxpool.Config, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("the URL of the database: %w", err)
	}
	q := u.Query()
	q.Set("host", host) // as Citus has it: a name, an address or the folder of a socket
	q.Set("port", strconv.Itoa(port))
	u.RawQuery = q.Encode()
	config, err := postgresConfig(u.String())
	if err == nil {
		sequentially(config)
	}
	return config, err
}

// sequentially adds the settings of connections to a database that is distributed.
func sequentially(config *pgxpool.Config) {
	config.ConnConfig.StatementCacheCapacity = literalStatements
	for name, value := range citusParameters {
		config.ConnConfig.RuntimeParams[name] = value
	}
}

func (c *cluster) placeOf(ctx context.Context, store string) storePlace {
	if store == "" {
		return storePlace{server: c.home, citus: true, shard: -1}
	}
	k, few, ok := c.find(ctx, store)
	if !ok {
		return storePlace{server: c.home, citus: true, shard: -1}
	}
	if k.group == c.group {
		return storePlace{server: c.home, citus: true, literal: few}
	}
	if s := c.server(ctx, k.group); s != nil {
		return storePlace{server: s, citus: true, literal: few}
	}
	return storePlace{server: c.home, citus: true, shard: k.shard}
}

// find returns where a store is, and whether this process knows few stores. It asks home, and
// believes an old answer if that fails.
func (c *cluster) find(ctx context.Context, store string) (k knownPlace, few, known bool) {
	c.mu.Lock()
	k, known = c.known[store]
	few = len(c.known) <= maxLiteralStores
	c.mu.Unlock()
	if known && time.Now().Before(k.until) {
		return k, few, true
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	found := knownPlace{until: time.Now().Add(placesLife)}
	err := c.home.pool.QueryRow(ctx, `SELECT p.shardid, p.groupid FROM pg_dist_placement AS p
		WHERE p.shardid = get_shard_id_for_distribution_column('customer_groups', $1::text)`, store).Scan(&found.shard, &found.group)
	if err != nil {
		return k, few, known
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxPlaces {
		clear(c.known)
	}
	c.known[store] = found
	return found, few, true
}

// server returns the server of a group, or nil if this process cannot reach it.
func (c *cluster) server(ctx context.Context, group int) *postgresServer {
	c.mu.Lock()
	s := c.servers[group]
	if s == nil {
		s = &clusterServer{}
		c.servers[group] = s
	}
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.retry) {
		return nil
	}
	if s.server == nil {
		server, err := c.dial(ctx, group)
		if err != nil {
			s.retry = time.Now().Add(dialPause)
			return nil
		}
		s.server = server
	}
	return s.server
}

func (c *cluster) dial(ctx context.Context, group int) (*postgresServer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTimeout)
	defer cancel()
	var host string
	var port int
	err := c.home.pool.QueryRow(ctx, "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid = $1 AND noderole = 'primary' AND hasmetadata AND metadatasynced", group).
		Scan(&host, &port)
	if err != nil {
		return nil, err
	}
	server, err := c.open(host, port)
	if err != nil {
		return nil, err
	}
	// The address may lead to another server from here.
	var there int
	err = server.pool.QueryRow(ctx, "SELECT groupid FROM pg_dist_local_group").Scan(&there)
	if err == nil && there != group {
		err = errNoServer
	}
	if err != nil {
		server.close()
		return nil, err
	}
	return server, nil
}

// lost makes this process use home instead of a server for a moment.
func (c *cluster) lost(server *postgresServer) {
	for _, s := range c.all() {
		s.mu.Lock()
		if s.server == server {
			s.retry = time.Now().Add(dialPause)
		}
		s.mu.Unlock()
	}
}

func (c *cluster) all() []*clusterServer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.servers))
}

// each calls fn with each server except home.
func (c *cluster) each(fn func(*postgresServer)) {
	for _, s := range c.all() {
		s.mu.Lock()
		if s.server != nil {
			fn(s.server)
		}
		s.mu.Unlock()
	}
}
