package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

const (
	// maxSegmentsInCall is how many segments, or new shopper profiles, one request writes.
	maxSegmentsInCall = 10
	// maxProfilesAdded is how many shopper profiles one request adds to a segment.
	maxProfilesAdded = 50
)

// Segment is a set of shopper profiles, at which promotions are directed. A store has at most
// 1 000.
type Segment struct {
	ID          string `json:"id"` // a UUID
	Name        string `json:"name"`
	Description string `json:"description"`
	CreatedAt   Time   `json:"created_at"`
	UpdatedAt   Time   `json:"updated_at"`
}

// SegmentCreate is a new segment. Its name is unique in the store.
type SegmentCreate struct {
	Name        string      `json:"name"`
	Description Opt[string] `json:"description,omitzero"`
}

// SegmentUpdate has the fields of a segment to set. Absent fields stay as they are.
type SegmentUpdate struct {
	ID          string      `json:"id"`
	Name        Opt[string] `json:"name,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
}

// SegmentFilter selects segments. An empty list does not filter.
type SegmentFilter struct {
	IDs []string `query:"id:in"`
}

// ShopperProfile represents a customer in segments. A customer has at most one.
type ShopperProfile struct {
	ID         string `json:"id"` // a UUID
	CustomerID int64  `json:"customer_id"`
	CreatedAt  Time   `json:"created_at"`
	UpdatedAt  Time   `json:"updated_at"`
}

// ShopperProfileCreate is the new shopper profile of a customer.
type ShopperProfileCreate struct {
	CustomerID int64 `json:"customer_id"`
}

// SegmentService has the operations on segments and their members, of V3. An id that is no
// UUID is an [ErrArgument].
type SegmentService struct{ service }

const (
	segmentsPath        = "/v3/segments"
	shopperProfilesPath = "/v3/shopper-profiles"
)

// membersPath returns the path of the members of a segment.
func membersPath(segment string) (string, error) {
	if err := checkUUIDs(segment); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s/%s/shopper-profiles", segmentsPath, segment), nil
}

// List returns a page of segments in the order of their creation.
func (s *SegmentService) List(ctx context.Context, f SegmentFilter, p Page) ([]Segment, error) {
	if err := checkUUIDs(f.IDs...); err != nil {
		return nil, err
	}
	return pageOf[Segment](ctx, s.c, segmentsPath, f, p)
}

// All yields all segments that match. Pages are read by number.
func (s *SegmentService) All(ctx context.Context, f SegmentFilter) iter.Seq2[Segment, error] {
	if err := checkUUIDs(f.IDs...); err != nil {
		return failed[Segment](err)
	}
	return allOf(ctx, s.c, segmentsPath, f, segmentID)
}

func segmentID(s Segment) string { return s.ID }

func profileID(p ShopperProfile) string { return p.ID }

// ByID yields the segments with the ids, of any number, in requests of 50. Ids without a
// segment are left out.
func (s *SegmentService) ByID(ctx context.Context, ids ...string) iter.Seq2[Segment, error] {
	return byID(ids, func(part []string) iter.Seq2[Segment, error] { return s.All(ctx, SegmentFilter{IDs: part}) })
}

// Create creates 1 to 10 segments: all of them, or none. The name of another one is an
// [ErrConflict].
func (s *SegmentService) Create(ctx context.Context, segments []SegmentCreate) ([]Segment, error) {
	r := request{method: http.MethodPost, path: segmentsPath, body: segments, gate: gateCreateSegments, creates: true}
	return writeBatch[Segment](ctx, s.c, r, len(segments), maxSegmentsInCall)
}

// CreateAll creates any number of segments, ten in a request, and yields the outcome of each.
func (s *SegmentService) CreateAll(ctx context.Context, segments []SegmentCreate) iter.Seq[Result[Segment]] {
	return inBatches(ctx, segments, maxSegmentsInCall, s.Create)
}

// Update changes 1 to 10 segments: all of them, or none. The name of another one is an
// [ErrConflict].
func (s *SegmentService) Update(ctx context.Context, segments []SegmentUpdate) ([]Segment, error) {
	r := request{method: http.MethodPut, path: segmentsPath, body: segments, gate: gateUpdateSegments}
	return writeBatch[Segment](ctx, s.c, r, len(segments), maxSegmentsInCall)
}

// UpdateAll changes any number of segments, ten in a request, and yields the outcome of each.
func (s *SegmentService) UpdateAll(ctx context.Context, segments []SegmentUpdate) iter.Seq[Result[Segment]] {
	return inBatches(ctx, segments, maxSegmentsInCall, s.Update)
}

// Delete deletes segments, 50 in a request. Their members stay shopper profiles. Ids without
// a segment are skipped. Without ids it sends nothing.
func (s *SegmentService) Delete(ctx context.Context, ids ...string) error {
	return deleteUUIDs(ctx, s.c, segmentsPath, ids)
}

// ListMembers returns a page of the shopper profiles of a segment.
func (s *SegmentService) ListMembers(ctx context.Context, segment string, p Page) ([]ShopperProfile, error) {
	path, err := membersPath(segment)
	if err != nil {
		return nil, err
	}
	q, err := p.params()
	if err != nil {
		return nil, err
	}
	rows, _, err := listV3[ShopperProfile](ctx, s.c, request{method: http.MethodGet, path: path, query: q})
	return rows, err
}

// AllMembers yields all shopper profiles of a segment. Pages are read by number.
func (s *SegmentService) AllMembers(ctx context.Context, segment string) iter.Seq2[ShopperProfile, error] {
	path, err := membersPath(segment)
	if err != nil {
		return failed[ShopperProfile](err)
	}
	return allV3(ctx, s.c, request{method: http.MethodGet, path: path, query: url.Values{}}, profileID)
}

// AddMembers adds 1 to 50 shopper profiles to a segment: all of them, or none. One that is a
// member already is an [ErrConflict] and in a [*BatchError].
func (s *SegmentService) AddMembers(ctx context.Context, segment string, profiles []string) ([]ShopperProfile, error) {
	path, err := membersPath(segment)
	if err != nil {
		return nil, err
	}
	r := request{method: http.MethodPost, path: path, body: profiles, gate: gateAddProfiles, creates: true}
	return writeBatch[ShopperProfile](ctx, s.c, r, len(profiles), maxProfilesAdded)
}

// AddAllMembers adds any number of shopper profiles to a segment, fifty in a request, and
// yields the outcome of each.
func (s *SegmentService) AddAllMembers(ctx context.Context, segment string, profiles []string) iter.Seq[Result[ShopperProfile]] {
	return inBatches(ctx, profiles, maxProfilesAdded, func(ctx context.Context, part []string) ([]ShopperProfile, error) {
		return s.AddMembers(ctx, segment, part)
	})
}

// RemoveMembers removes shopper profiles from a segment, 50 in a request. Ids that are not
// members are skipped. Without ids it sends nothing.
func (s *SegmentService) RemoveMembers(ctx context.Context, segment string, profiles ...string) error {
	path, err := membersPath(segment)
	if err != nil {
		return err
	}
	return deleteUUIDs(ctx, s.c, path, profiles)
}

// ShopperProfileService has the operations on shopper profiles, of V3. An id that is no UUID
// is an [ErrArgument].
type ShopperProfileService struct{ service }

// List returns a page of shopper profiles in the order of their creation.
func (s *ShopperProfileService) List(ctx context.Context, p Page) ([]ShopperProfile, error) {
	q, err := p.params()
	if err != nil {
		return nil, err
	}
	rows, _, err := listV3[ShopperProfile](ctx, s.c, request{method: http.MethodGet, path: shopperProfilesPath, query: q})
	return rows, err
}

// All yields all shopper profiles. Pages are read by number.
func (s *ShopperProfileService) All(ctx context.Context) iter.Seq2[ShopperProfile, error] {
	return allV3(ctx, s.c, request{method: http.MethodGet, path: shopperProfilesPath, query: url.Values{}}, profileID)
}

// Create creates the shopper profiles of 1 to 10 customers: all of them, or none. A customer
// who has one already is an [ErrConflict] and in a [*BatchError].
func (s *ShopperProfileService) Create(ctx context.Context, profiles []ShopperProfileCreate) ([]ShopperProfile, error) {
	r := request{method: http.MethodPost, path: shopperProfilesPath, body: profiles, gate: gateCreateProfiles, creates: true}
	return writeBatch[ShopperProfile](ctx, s.c, r, len(profiles), maxSegmentsInCall)
}

// CreateAll creates any number of shopper profiles, ten in a request, and yields the outcome
// of each.
func (s *ShopperProfileService) CreateAll(ctx context.Context, profiles []ShopperProfileCreate) iter.Seq[Result[ShopperProfile]] {
	return inBatches(ctx, profiles, maxSegmentsInCall, s.Create)
}

// Delete deletes shopper profiles, 50 in a request, and removes them from their segments. Ids
// without a profile are skipped. Without ids it sends nothing.
func (s *ShopperProfileService) Delete(ctx context.Context, ids ...string) error {
	return deleteUUIDs(ctx, s.c, shopperProfilesPath, ids)
}

// ListSegments returns a page of the segments of a shopper profile.
func (s *ShopperProfileService) ListSegments(ctx context.Context, profile string, p Page) ([]Segment, error) {
	if err := checkUUIDs(profile); err != nil {
		return nil, err
	}
	q, err := p.params()
	if err != nil {
		return nil, err
	}
	rows, _, err := listV3[Segment](ctx, s.c, request{method: http.MethodGet, path: segmentsOfProfile(profile), query: q})
	return rows, err
}

// AllSegments yields all segments of a shopper profile. Pages are read by number.
func (s *ShopperProfileService) AllSegments(ctx context.Context, profile string) iter.Seq2[Segment, error] {
	if err := checkUUIDs(profile); err != nil {
		return failed[Segment](err)
	}
	return allV3(ctx, s.c, request{method: http.MethodGet, path: segmentsOfProfile(profile), query: url.Values{}}, segmentID)
}

func segmentsOfProfile(profile string) string {
	return fmt.Sprintf("%s/%s/segments", shopperProfilesPath, profile)
}

// deleteUUIDs deletes what the ids name, in requests of 50. It checks all ids before it sends
// anything: a request without ids would delete everything.
func deleteUUIDs(ctx context.Context, c *Client, path string, ids []string) error {
	if err := checkUUIDs(ids...); err != nil {
		return err
	}
	return deleteNamed(ctx, c, path, ids)
}

func checkUUIDs(ids ...string) error {
	for _, id := range ids {
		if !isUUID(id) {
			return argument("%.80q is not a UUID", id)
		}
	}
	return nil
}

func isUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, r := range []byte(id) {
		isDash := i == 8 || i == 13 || i == 18 || i == 23
		if isDash != (r == '-') || !isDash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(r)) {
			return false
		}
	}
	return true
}
