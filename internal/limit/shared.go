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

// Shared counts in a Redis, for all nodes that have the same. While Redis does
// not answer as it should, the node counts for itself, and looks in the
// background whether it does again.
type Shared struct {
	client  *redis.Client
	address string
	secret  string // never to be told
	log     *slog.Logger
	terms   terms
	own     *Memory // counts along, so as to know where to go on
	slots   *slots
	sharing atomic.Bool
	alone   atomic.Uint64 // decisions that were not shared
	wake    chan struct{} // something is to be removed, or sharing has ended
	stop    context.CancelFunc
	stopped chan struct{}
}

// terms are the spans of time that Shared goes by.
type terms struct {
	patience time.Duration // how long an admission may take
	lease    time.Duration // how long a slot is kept for a node that is silent
	errand   time.Duration // how long something in the background may take
	// pause is the time between two looks for a Redis that is away. It doubles
	// up to maxPause, and begins anew when sharing has lasted for a lease.
	pause, maxPause time.Duration
}

var defaultTerms = terms{
	patience: 50 * time.Millisecond,
	lease:    10 * time.Second,
	errand:   time.Second,
	pause:    100 * time.Millisecond,
	maxPause: 2 * time.Second,
}

// Options is what Shared can be given; the zero value works.
type Options struct {
	Log *slog.Logger     // nil discards
	Now func() time.Time // the clock of what the node counts for itself; nil is the system's
}

// Open returns limits that are shared in the Redis at url. Where Redis does not
// answer, they are shared as soon as it does. Close ends it.
func Open(ctx context.Context, url string, o Options) (*Shared, error) {
	return open(ctx, url, o, defaultTerms)
}

func open(ctx context.Context, url string, o Options, t terms) (*Shared, error) {
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
	logging.Disable() // the library's own lines, one for each attempt
	s := &Shared{
		client:  redis.NewClient(options),
		address: options.Addr,
		secret:  options.Password,
		log:     o.Log,
		terms:   t,
		own:     NewMemory(o.Now),
		slots:   newSlots(),
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	if err := s.probe(ctx); err != nil {
		s.tellAlone(err)
	} else {
		s.share()
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	go s.run(ctx)
	return s, nil
}

// errURL does not quote what was given: there may be a password in it, anywhere
// when the URL is broken.
var errURL = errors.New("it is not the URL of a Redis, such as redis://USER:PASSWORD@HOST:PORT/DB, rediss://… or unix:///PATH")

// CheckURL returns an error that is safe to print unless Open takes the URL.
func CheckURL(url string) error {
	_, err := parse(url)
	return err
}

// redisTimeout bounds each step of a call to Redis: to connect, to send, to receive.
// A request waits for less than that, see defaultTerms.
const redisTimeout = time.Second

func parse(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errURL
	}
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1 // an admission that may have been counted is not sent again
	o.DialerRetries = 1
	o.DialTimeout = redisTimeout
	o.ReadTimeout, o.WriteTimeout = redisTimeout, redisTimeout
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.Protocol = 2                                   // nothing of the third is used, and each read would look for it
	o.ReadBufferSize, o.WriteBufferSize = 4096, 4096 // an admission has some hundred bytes
	if o.PoolSize == 0 {
		o.PoolSize = 100
	}
	return o, nil
}

// Sharing reports whether limits are shared now.
func (s *Shared) Sharing() bool { return s.sharing.Load() }

// DecidedLocally returns how many requests this node has decided by itself.
func (s *Shared) DecidedLocally() uint64 { return s.alone.Load() }

// Admit decides about a request.
func (s *Shared) Admit(r Request) (d Decision, done func()) {
	if r.free() {
		return Decision{}, nothing
	}
	var at slot
	var freed []string
	if r.Concurrency > 0 {
		at, freed = s.slots.name(concurrencyKey(&r))
	}
	if !s.sharing.Load() {
		return s.decideLocally(r, at, false)
	}
	d, err := s.ask(context.Background(), &r, at, freed)
	if err != nil {
		s.endSharing(err)
		return s.decideLocally(r, at, true)
	}
	if d.Refused != "" {
		return d, nothing
	}
	return d, s.holding(at, true, s.own.note(r))
}

// Peek tells what Admit would decide now. If Redis does not say it, this node
// answers by what it knows. It leaves to Admit to find out what is wrong.
func (s *Shared) Peek(r Request) Decision {
	if r.free() {
		return Decision{}
	}
	if s.sharing.Load() {
		var freed []string
		var at slot
		if r.Concurrency > 0 {
			at, freed = s.slots.name(concurrencyKey(&r))
		}
		at.member = onlyPeek
		if d, err := s.ask(context.Background(), &r, at, freed); err == nil {
			return d
		}
	}
	return s.own.Peek(r)
}

// decideLocally decides by what this node knows. The slot is known if Redis may
// have given it.
func (s *Shared) decideLocally(r Request, at slot, known bool) (d Decision, done func()) {
	s.alone.Add(1)
	d, done = s.own.Admit(r)
	if d.Refused == "" {
		return d, s.holding(at, known, done)
	}
	s.holding(at, known, nothing)() // Redis may have let it in
	return d, nothing
}

// holding holds a slot until it is called. That is so for requests which the
// node has let in by itself, too: they are under way when sharing begins again.
func (s *Shared) holding(at slot, known bool, done func()) func() {
	if at == (slot{}) {
		return done
	}
	s.slots.hold(at, known)
	return func() {
		done()
		if s.slots.free(at) {
			s.call()
		}
	}
}

// call has the background look what there is to do.
func (s *Shared) call() {
	select {
	case s.wake <- struct{}{}:
	default: // it will
	}
}

// onlyPeek stands in the place of a slot when nothing is to be used up.
const onlyPeek = "peek"

//go:embed admit.lua
var admitText string

var admitScript = redis.NewScript(admitText)

// ask has Redis decide.
func (s *Shared) ask(ctx context.Context, r *Request, at slot, freed []string) (Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, s.terms.patience)
	defer cancel()
	keys, args := s.question(r, "", at, freed)
	answer, err := admitScript.Run(ctx, s.client, keys, args...).Int64Slice()
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return Decision{}, fmt.Errorf("no answer in %v: %w", s.terms.patience, err)
	}
	if err != nil {
		return Decision{}, err
	}
	return decision(r, answer)
}

// question is what admit.lua is called with. The time is that of Redis unless
// one is given.
func (s *Shared) question(r *Request, now any, at slot, freed []string) (keys []string, args []any) {
	const none = -1
	concurrency, perPath, perStore, quota := none, none, none, none
	if r.Concurrency > 0 {
		concurrency = r.Concurrency
		keys = append(keys, at.gate)
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
		concurrency, at.member, s.terms.lease.Milliseconds(),
		perPath, perStore, rateLength.Milliseconds(),
		quota, quotaLength.Milliseconds())
	for _, member := range freed {
		args = append(args, member)
	}
	return keys, args
}

// storeKey begins the keys of a store. What is in braces decides on which node
// of a Redis Cluster a key is, and all keys of a script have to be on one.
func storeKey(r *Request) string { return "cohort:{" + r.Store + "}:" }

func concurrencyKey(r *Request) string { return storeKey(r) + "gate:" + r.Operation }

// refusals are what admit.lua calls by number.
var refusals = [...]string{"", Concurrency, Rate, Quota}

// decision reads what admit.lua has answered, and trusts nothing.
func decision(r *Request, answer []int64) (Decision, error) {
	if len(answer) != 4 || answer[0] < 0 || answer[0] >= int64(len(refusals)) {
		return Decision{}, fmt.Errorf("the answer is not that of an admission: %v", answer)
	}
	refused, retry, used, reset := refusals[answer[0]], answer[1], answer[2], answer[3]
	if retry < 0 || retry > rateLength.Milliseconds() || used < 0 || reset < 0 || reset > quotaLength.Milliseconds() {
		return Decision{}, fmt.Errorf("the answer has figures that cannot be: %v", answer)
	}
	d := Decision{Refused: refused}
	if refused != "" {
		d.RetryAfter = retryAfter(time.Duration(retry) * time.Millisecond)
	}
	if r.Metered {
		d.Quota = Usage{Limit: r.Quota, Left: int(max(int64(r.Quota)-used, 0)), Reset: time.Duration(reset) * time.Millisecond}
	}
	return d, nil
}

// share begins to share.
func (s *Shared) share() {
	s.sharing.Store(true)
	s.log.Info("limits are shared in Redis", "redis", s.address)
}

// endSharing has the node count for itself until the background finds Redis
// well again. Of many who find it ill, one tells.
func (s *Shared) endSharing(err error) {
	if !s.sharing.CompareAndSwap(true, false) {
		return
	}
	s.tellAlone(err)
	s.call()
}

func (s *Shared) tellAlone(err error) {
	s.log.Warn("limits are not shared: this node counts for itself until Redis answers as it should", "redis", s.address, "reason", s.reason(err))
}

// reason is an error's text without the password. Redis and proxies quote what
// they do not understand, and that may be a part of it.
func (s *Shared) reason(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", with args beginning with")
	if s.secret != "" {
		text = strings.ReplaceAll(text, s.secret, "…")
	}
	return text
}
