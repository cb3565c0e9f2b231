package limit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Shared counts in Redis, for all nodes that use the same Redis. While Redis fails,
// the node falls back to local counts and reconnects in the background.
type Shared struct {
	client  *redis.Client
	address string
	secret  string // the password, which is never logged
	log     *slog.Logger
	timing  timing
	local   *Memory // counts all requests of this node, so that the fallback continues from there
	slots   *slots
	sharing atomic.Bool
	locally atomic.Uint64 // the number of local decisions
	wake    chan struct{} // wakes the background to remove slots, or because sharing has ended
	stop    context.CancelFunc
	stopped chan struct{}
}

// timing has the timeouts and delays of a Shared.
type timing struct {
	admitTimeout      time.Duration
	lease             time.Duration // how long Redis keeps a slot that its node does not renew
	backgroundTimeout time.Duration // of one background task
	// retryDelay is the delay between two attempts to reconnect. It doubles up to
	// maxRetryDelay, and starts again from retryDelay after the node has shared
	// for a lease.
	retryDelay, maxRetryDelay time.Duration
}

var defaultTiming = timing{
	admitTimeout:      50 * time.Millisecond,
	lease:             10 * time.Second,
	backgroundTimeout: time.Second,
	retryDelay:        100 * time.Millisecond,
	maxRetryDelay:     2 * time.Second,
}

// Options are options of Open; the zero value works.
type Options struct {
	Log *slog.Logger     // nil discards
	Now func() time.Time // the clock of the local counts; nil is the system clock
}

// Open returns limits that are shared in the Redis at url. If Redis does not
// respond, the node starts with local limits and shares them as soon as it does.
// Close ends it.
func Open(ctx context.Context, url string, o Options) (*Shared, error) {
	return open(ctx, url, o, defaultTiming)
}

func open(ctx context.Context, url string, o Options, t timing) (*Shared, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	logging.Disable() // the library logs each attempt to connect
	s := &Shared{
		client:  redis.NewClient(options),
		address: options.Addr,
		secret:  options.Password,
		log:     o.Log,
		timing:  t,
		local:   NewMemory(o.Now),
		slots:   newSlots(),
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	if err := s.probe(ctx); err != nil {
		s.logLocal(err)
	} else {
		s.startSharing()
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	go s.run(ctx)
	return s, nil
}

// errURL does not quote the URL: a malformed URL can have a password anywhere.
var errURL = errors.New("it is not the URL of a Redis, such as redis://USER:PASSWORD@HOST:PORT/DB, rediss://… or unix:///PATH")

// CheckURL returns an error if Open would not accept the URL. The error does not
// contain the password.
func CheckURL(url string) error {
	_, err := parse(url)
	return err
}

// redisTimeout bounds each step of a call to Redis: connect, send, receive. A
// request waits less than that, see defaultTiming.
const redisTimeout = time.Second

func parse(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errURL
	}
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1 // a retry could count a request twice
	o.DialerRetries = 1
	o.DialTimeout = redisTimeout
	o.ReadTimeout, o.WriteTimeout = redisTimeout, redisTimeout
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.Protocol = 2                                   // version 3 has nothing that this package uses, and makes each read slower
	o.ReadBufferSize, o.WriteBufferSize = 4096, 4096 // an admission has a few hundred bytes
	if o.PoolSize == 0 {
		o.PoolSize = 100
	}
	return o, nil
}

// Sharing reports whether the limits are shared now.
func (s *Shared) Sharing() bool { return s.sharing.Load() }

// DecidedLocally returns how many requests this node has decided by local counts.
func (s *Shared) DecidedLocally() uint64 { return s.locally.Load() }

// Admit implements Limiter.
func (s *Shared) Admit(r Request) (d Decision, done func()) {
	if r.unlimited() {
		return Decision{}, noop
	}
	var at slot
	var freed []string
	if r.Concurrency > 0 {
		at, freed = s.slots.newSlot(concurrencyKey(&r))
	}
	if !s.sharing.Load() {
		return s.decideLocally(r, at, false)
	}
	d, err := s.runScript(context.Background(), &r, at, freed)
	if err != nil {
		s.stopSharing(err)
		return s.decideLocally(r, at, true)
	}
	if d.RejectedBy != "" {
		return d, noop
	}
	return d, s.hold(at, true, s.local.record(r))
}

// Check implements Limiter. If Redis fails, Check uses the local counts but does
// not stop sharing; Admit does.
func (s *Shared) Check(r Request) Decision {
	if r.unlimited() {
		return Decision{}
	}
	if s.sharing.Load() {
		var freed []string
		var at slot
		if r.Concurrency > 0 {
			at, freed = s.slots.newSlot(concurrencyKey(&r))
		}
		at.member = checkOnly
		if d, err := s.runScript(context.Background(), &r, at, freed); err == nil {
			return d
		}
	}
	return s.local.Check(r)
}

// decideLocally decides by the local counts. known says whether Redis may have
// the slot.
func (s *Shared) decideLocally(r Request, at slot, known bool) (d Decision, done func()) {
	s.locally.Add(1)
	d, done = s.local.Admit(r)
	if d.RejectedBy == "" {
		return d, s.hold(at, known, done)
	}
	s.hold(at, known, noop)() // Redis may have admitted the request
	return d, noop
}

// hold stores a slot and returns the function that frees it. A request that was
// admitted locally has a slot too, because it may still run when sharing resumes.
func (s *Shared) hold(at slot, known bool, done func()) func() {
	if at == (slot{}) {
		return done
	}
	s.slots.hold(at, known)
	return func() {
		done()
		if s.slots.free(at) {
			s.wakeUp()
		}
	}
}

// wakeUp wakes the background goroutine.
func (s *Shared) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default: // it is already woken
	}
}

// checkOnly in place of a slot makes the script only check, and count nothing.
const checkOnly = "check"

//go:embed admit.lua
var admitText string

var admitScript = redis.NewScript(admitText)

// runScript lets Redis decide.
func (s *Shared) runScript(ctx context.Context, r *Request, at slot, freed []string) (Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timing.admitTimeout)
	defer cancel()
	keys, args := s.scriptArgs(r, "", at, freed)
	reply, err := admitScript.Run(ctx, s.client, keys, args...).Int64Slice()
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return Decision{}, fmt.Errorf("no reply in %v: %w", s.timing.admitTimeout, err)
	}
	if err != nil {
		return Decision{}, err
	}
	return parseReply(r, reply)
}

// scriptArgs returns the keys and arguments of admit.lua. If now is empty, the
// script uses the clock of Redis.
func (s *Shared) scriptArgs(r *Request, now any, at slot, freed []string) (keys []string, args []any) {
	const none = -1
	concurrency, perPath, perStore, quota := none, none, none, none
	if r.Concurrency > 0 {
		concurrency = r.Concurrency
		keys = append(keys, at.key)
	}
	if r.rated() {
		perPath, perStore = r.PerPath, r.PerStore
		key := storeKey(r) + "rate:" + r.Operation
		keys = append(keys, key+":"+r.Path, key)
	}
	if r.Metered {
		quota = r.Quota
		keys = append(keys, storeKey(r)+"quota")
	}
	args = append(make([]any, 0, 9+len(freed)), now,
		concurrency, at.member, s.timing.lease.Milliseconds(),
		perPath, perStore, rateWindow.Milliseconds(),
		quota, quotaWindow.Milliseconds())
	for _, member := range freed {
		args = append(args, member)
	}
	return keys, args
}

// storeKey is the prefix of a store's keys. The part in braces is the hash tag of
// Redis Cluster: all keys of a script must be on one node.
func storeKey(r *Request) string { return "cohort:{" + r.Store + "}:" }

// concurrencyKey says "gate" because nodes of all versions must use the same key.
func concurrencyKey(r *Request) string { return storeKey(r) + "gate:" + r.Operation }

// limitNames are the limits by their numbers in admit.lua.
var limitNames = [...]string{"", Concurrency, Rate, Quota}

// parseReply parses and checks the reply of admit.lua. Anything may listen at the
// configured address.
func parseReply(r *Request, reply []int64) (Decision, error) {
	if len(reply) != 4 || reply[0] < 0 || reply[0] >= int64(len(limitNames)) {
		return Decision{}, fmt.Errorf("not a reply of the admission script: %v", reply)
	}
	limit, retry, used, reset := limitNames[reply[0]], reply[1], reply[2], reply[3]
	if retry < 0 || retry > rateWindow.Milliseconds() || used < 0 || reset < 0 || reset > quotaWindow.Milliseconds() {
		return Decision{}, fmt.Errorf("impossible values in the reply of the admission script: %v", reply)
	}
	d := Decision{RejectedBy: limit}
	if limit != "" {
		d.RetryAfter = retryAfter(time.Duration(retry) * time.Millisecond)
	}
	if r.Metered {
		d.Quota = Usage{Limit: r.Quota, Left: int(max(int64(r.Quota)-used, 0)), Reset: time.Duration(reset) * time.Millisecond}
	}
	return d, nil
}

func (s *Shared) startSharing() {
	s.sharing.Store(true)
	s.log.Info("limits are shared in Redis", "redis", s.address)
}

// stopSharing switches to local counts until the background can reconnect. Of
// concurrent calls, one logs.
func (s *Shared) stopSharing(err error) {
	if !s.sharing.CompareAndSwap(true, false) {
		return
	}
	s.logLocal(err)
	s.wakeUp()
}

func (s *Shared) logLocal(err error) {
	s.log.Warn("limits are not shared: this node counts locally until Redis responds", "redis", s.address, "error", s.redact(err))
}

// redact returns an error's text without the password. Redis and proxies quote
// commands that they do not understand, which can include part of the password.
func (s *Shared) redact(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", with args beginning with")
	if s.secret != "" {
		text = strings.ReplaceAll(text, s.secret, "…")
	}
	return text
}
