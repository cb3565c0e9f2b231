package client

import (
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// DefaultBaseURL is the address of the vendor's service.
const DefaultBaseURL = "https://api.bigcommerce.com"

// Client calls the API of one store. It is safe for concurrent use; a program should have
// one Client for a store, because it paces all calls together.
type Client struct {
	// V2.
	Groups    *GroupService
	Customers *CustomerService
	Addresses *AddressService
	// V3.
	CustomersV3      *CustomerV3Service
	AddressesV3      *AddressV3Service
	Attributes       *AttributeService
	AttributeValues  *AttributeValueService
	FormFields       *FormFieldService
	Consents         *ConsentService
	CustomerSettings *CustomerSettingsService
	Metafields       *MetafieldService
	Segments         *SegmentService
	ShopperProfiles  *ShopperProfileService
	PriceLists       *PriceListService
	PriceRecords     *PriceRecordService
	Assignments      *AssignmentService
	Prices           *PriceService
	Channels         *ChannelService
	Categories       *CategoryService
	Brands           *BrandService
	Products         *ProductService
	Variants         *VariantService
	// ProductChannels and ProductCategories say where products are.
	ProductChannels   *ProductChannelService
	ProductCategories *ProductCategoryService
	CategoryTrees     *CategoryTreeService
	TreeCategories    *TreeCategoryService
	Hooks             *HookService
	// Cohort has what Cohort adds to the vendor's API. The vendor's service responds to all
	// of it with 404.
	Cohort *CohortService

	base        string // with the store
	token       string
	userAgent   string
	http        *http.Client
	timeout     time.Duration
	maxResponse int64
	retry       RetryPolicy
	keys        bool // with idempotency keys
	log         *slog.Logger
	clock       Clock
	pacer       *pacer
	gates       gates
}

// service is what all services have.
type service struct{ c *Client }

var storeHash = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// New returns a client for a store. The token is sent in X-Auth-Token. New sends nothing.
func New(store, token string, options ...Option) (*Client, error) {
	o := defaults()
	for _, option := range options {
		option(&o)
	}
	base, err := checkBase(o.base)
	switch {
	case err != nil:
		return nil, err
	case !storeHash.MatchString(store):
		return nil, argument("%.80q is not the hash of a store", store)
	case !isToken(token):
		return nil, argument("a token has printable ASCII characters only, and at least one")
	}
	c := &Client{
		base: base + "/stores/" + store, token: token, userAgent: o.userAgent, http: withoutRedirects(o.http), timeout: o.timeout,
		maxResponse: o.maxResponse, retry: o.retry, keys: o.keys, log: o.log, clock: o.clock,
		pacer: newPacer(o.clock, o.floor, o.retry.MaxWait), gates: newGates(o.concurrency),
	}
	c.connect()
	return c, nil
}

func (c *Client) connect() {
	s := service{c}
	c.Groups, c.Customers, c.Addresses = &GroupService{s}, &CustomerService{s}, &AddressService{s}
	c.CustomersV3, c.AddressesV3 = &CustomerV3Service{s}, &AddressV3Service{s}
	c.Attributes, c.AttributeValues = &AttributeService{s}, &AttributeValueService{s}
	c.FormFields, c.Consents, c.CustomerSettings, c.Metafields = &FormFieldService{s}, &ConsentService{s}, &CustomerSettingsService{s}, &MetafieldService{s}
	c.Segments, c.ShopperProfiles = &SegmentService{s}, &ShopperProfileService{s}
	c.PriceLists, c.PriceRecords, c.Assignments = &PriceListService{s}, &PriceRecordService{s}, &AssignmentService{s}
	c.Categories, c.Brands = &CategoryService{s}, &BrandService{s}
	c.Products, c.Variants = &ProductService{s}, &VariantService{s}
	c.ProductChannels, c.ProductCategories = &ProductChannelService{s}, &ProductCategoryService{s}
	c.CategoryTrees, c.TreeCategories = &CategoryTreeService{s}, &TreeCategoryService{s}
	c.Prices, c.Channels, c.Hooks = &PriceService{s}, &ChannelService{s}, &HookService{s}
	c.Cohort = &CohortService{s}
}

func checkBase(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", argument("%.200q is not the URL of a server", base)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", argument("the URL of a server has no user, query and fragment")
	}
	return strings.TrimRight(base, "/"), nil
}

func isToken(token string) bool {
	for _, r := range token {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return token != ""
}

// withoutRedirects returns a copy of a client that follows no redirect. The API has none,
// and a redirect would tell the token to another server.
func withoutRedirects(h *http.Client) *http.Client {
	own := *h
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Timeout = 0 // each attempt has a timeout
	return &own
}
