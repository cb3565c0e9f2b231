package txn

import "syscall"

// fileSystems are the file systems on which a database may be lost or damaged, by the
// magic numbers of statfs(2).
var fileSystems = map[int64]FileSystem{
	0x01021994: {Name: "tmpfs", Memory: true},
	0x858458f6: {Name: "ramfs", Memory: true},
	0x794c7630: {Name: "overlayfs", Layer: true},
	0x6969:     {Name: "NFS", Network: true},
	0x517b:     {Name: "SMB", Network: true},
	0xff534d42: {Name: "CIFS", Network: true},
	0xfe534d42: {Name: "SMB", Network: true},
	0x01021997: {Name: "9p", Network: true},
	0x00c36400: {Name: "Ceph", Network: true},
	0x5346414f: {Name: "AFS", Network: true},
}

// fileSystemOf describes the file system of a folder.
func fileSystemOf(folder string) (FileSystem, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return FileSystem{}, err
	}
	f := fileSystems[int64(s.Type)&0xffffffff] //nolint:unconvert // its type differs between processors
	f.Free = int64(s.Bavail) * int64(s.Bsize)  //nolint:gosec,unconvert // a disk has fewer bytes
	f.Of = int64(s.Blocks) * int64(s.Bsize)    //nolint:gosec,unconvert // a disk has fewer bytes
	return f, nil
}
