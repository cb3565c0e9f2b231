package cohort

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// A category's UUID is a function of the store and the id, so it is not stored, and a
// filter by UUIDs is one by ids. It is a UUID of version 8 (RFC 9562): the first half is a
// hash of both, and the second half the id, masked with a hash of the store.

// uuidIDBits is the number of bits of an id in a UUID. The variant takes the other two of
// its half. No store counts that far.
const uuidIDBits = 62

// CategoryUUID returns the UUID of a category of a store.
func CategoryUUID(storeKey string, id int64) string {
	var b [16]byte
	hash := sha256.Sum256([]byte(storeKey + "/category/" + strconv.FormatInt(id, 10)))
	copy(b[:8], hash[:])
	b[6] = b[6]&0x0f | 0x80                                             // the version
	half := (uint64(id) ^ categoryMask(storeKey)) & (1<<uuidIDBits - 1) //nolint:gosec // ids are positive
	binary.BigEndian.PutUint64(b[8:], half|1<<63)                       // the variant
	return strings.Join([]string{hex.EncodeToString(b[:4]), hex.EncodeToString(b[4:6]), hex.EncodeToString(b[6:8]),
		hex.EncodeToString(b[8:10]), hex.EncodeToString(b[10:])}, "-")
}

func categoryMask(storeKey string) uint64 {
	hash := sha256.Sum256([]byte(storeKey + "/categories"))
	return binary.BigEndian.Uint64(hash[:])
}

// CategoryIDOfUUID returns the id of the category of a store that has or had the UUID, in
// lower case, or could get it. It returns 0 if the UUID is of none.
func CategoryIDOfUUID(storeKey, uuid string) int64 {
	b, err := hex.DecodeString(strings.ReplaceAll(uuid, "-", ""))
	if err != nil || len(b) != 16 {
		return 0
	}
	id := int64((binary.BigEndian.Uint64(b[8:]) ^ categoryMask(storeKey)) & (1<<uuidIDBits - 1)) //nolint:gosec // 62 bits
	if CategoryUUID(storeKey, id) != uuid {
		return 0
	}
	return id
}
