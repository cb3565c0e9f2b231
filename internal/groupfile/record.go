package groupfile

import (
	"encoding/binary"
	"hash/crc32"
)

// A record is a header and the body. The header says whose body it is, so that a reader
// notices bytes of another group or of another store. No store ever gets the number of
// another one, nor that which it had before it was dropped:
//
//	 0  number of the store, 8 bytes
//	 8  id of the group, 8 bytes
//	16  length of the body, 4 bytes
//	20  checksum of everything else, 4 bytes
//	24  tag of the body, 8 bytes
const headerSize = 32

// Records begin at multiples of unit, so that 4 bytes hold an offset in a file of 32 GiB.
const unit = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendRecord(dst []byte, store uint64, r Record) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, store)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.ID))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.Body)))
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, r.Tag[:]...)
	dst = append(dst, r.Body...)
	binary.LittleEndian.PutUint32(dst[start+20:], checksum(dst[start:]))
	for len(dst)%unit != 0 {
		dst = append(dst, 0)
	}
	return dst
}

func checksum(record []byte) uint32 {
	return crc32.Update(crc32.Checksum(record[:20], castagnoli), castagnoli, record[24:])
}

// recordLength returns the length of the record that begins b, without padding, or false
// if it is not the expected one.
func recordLength(b []byte, store uint64, id int64) (int, bool) {
	if len(b) < headerSize || binary.LittleEndian.Uint64(b) != store || binary.LittleEndian.Uint64(b[8:]) != uint64(id) {
		return 0, false
	}
	length := binary.LittleEndian.Uint32(b[16:])
	return headerSize + int(length), length <= maxBody
}

// intact reports whether a whole record has its checksum.
func intact(record []byte) bool {
	return binary.LittleEndian.Uint32(record[20:]) == checksum(record)
}
