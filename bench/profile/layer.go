package main

import (
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// layers are the parts of a request, from the network to the disk, in the order of the
// table and of the picture. The runtime is a part of all of them.
var layers = []string{
	"kernel, network",
	"net/http",
	"server",
	"dialect",
	"service",
	"data layer",
	"SQLite, driver",
	"kernel, files",
	"memory",
	"scheduling",
}

// layersOf has the layer of packages, by a prefix of the names of their functions. The
// first match counts.
var layersOf = []struct{ prefix, layer string }{
	{"cohort.example/cohort/internal/server.", "server"},
	{"cohort.example/cohort/internal/limit.", "server"},
	{"cohort.example/cohort/internal/cli.", "server"},
	{"github.com/prometheus/", "server"},
	{"log/slog", "server"},
	{"cohort.example/cohort/internal/api", "dialect"}, // apiv2 and apiv3 too
	{"cohort.example/cohort/internal/txn.", "data layer"},
	{"cohort.example/cohort/internal/db.", "data layer"},
	{"cohort.example/cohort/internal/", "service"}, // and the group indexes, the outbox
	{"cohort.example/cohort.", "service"},          // the rules of the resources
	{"modernc.org/", "SQLite, driver"},
	{"database/sql", "SQLite, driver"},
	{"github.com/jackc/", "SQLite, driver"},
	{"net/http", "net/http"},
	{"net/textproto.", "net/http"},
	{"net/url.", "net/http"},
}

// The functions of the runtime that are not work of their callers.
var (
	memoryFunctions = []string{
		"runtime.gc", "runtime.mallocgc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.newobject",
		"runtime.makeslice", "runtime.growslice", "runtime.wbBuf", "runtime.(*mspan)", "runtime.(*mheap)", "runtime.scanobject",
	}
	schedulingFunctions = []string{
		"runtime.schedule", "runtime.findRunnable", "runtime.mcall", "runtime.park_m", "runtime.goready", "runtime.ready",
		"runtime.sysmon", "runtime.mstart", "runtime.semrelease", "runtime.semacquire", "runtime.exitsyscall", "runtime.entersyscall",
		"runtime.futex", "runtime.notewakeup", "runtime.lock2", "runtime.chansend", "runtime.chanrecv", "runtime.selectgo", "runtime.wakep",
		"runtime.newproc", "runtime.morestack", "runtime.asyncPreempt",
	}
)

// layerOf returns the layer of a stack of functions, the innermost first. A function
// without a layer, such as one of strconv, belongs to that of its caller.
func layerOf(stack []string) string {
	if isSyscall(stack[0]) {
		return kernelLayer(stack)
	}
	for _, function := range stack {
		if layer := ownLayer(function); layer != "" {
			return layer
		}
	}
	return "scheduling" // only the runtime is left
}

func ownLayer(function string) string {
	switch {
	case hasPrefix(function, memoryFunctions):
		return "memory"
	case hasPrefix(function, schedulingFunctions):
		return "scheduling"
	}
	for _, l := range layersOf {
		if strings.HasPrefix(function, l.prefix) {
			return l.layer
		}
	}
	return ""
}

func isSyscall(function string) bool {
	return strings.HasPrefix(function, "internal/runtime/syscall.") || strings.HasPrefix(function, "syscall.") ||
		strings.HasPrefix(function, "internal/runtime/syscall/")
}

// kernelLayer returns the layer of a stack in a system call, by its purpose.
func kernelLayer(stack []string) string {
	for _, function := range stack {
		switch {
		case strings.HasPrefix(function, "net.("):
			return "kernel, network"
		case strings.HasPrefix(function, "modernc.org/"), strings.HasPrefix(function, "os."):
			return "kernel, files"
		case strings.HasPrefix(function, "runtime.gc"), strings.HasPrefix(function, "runtime.bgscavenge"), strings.HasPrefix(function, "runtime.(*mheap)"):
			return "memory"
		}
	}
	return "scheduling" // the runtime waits for connections and wakes threads
}

func hasPrefix(function string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(function, p) })
}

// isGenerator reports whether a stack is of the load generator or of the profiler, which
// share the process.
func isGenerator(stack []string) bool {
	return slices.ContainsFunc(stack, func(f string) bool {
		return strings.HasPrefix(f, "cohort.example/cohort/bench/load.") || strings.HasPrefix(f, "main.") || strings.HasPrefix(f, "runtime/pprof.")
	})
}

// shares returns the share of each layer in the processor time of the server, in per
// cent, in the order of layers.
func shares(p *profile.Profile) []float64 {
	times, all := make([]float64, len(layers)), 0.0
	for _, s := range p.Sample {
		stack := stackOf(s)
		if len(stack) == 0 || isGenerator(stack) {
			continue
		}
		took := float64(s.Value[len(s.Value)-1]) // nanoseconds
		times[slices.Index(layers, layerOf(stack))] += took
		all += took
	}
	for i := range times {
		times[i] *= 100 / max(all, 1)
	}
	return times
}

// stackOf returns the functions of a sample, the innermost first.
func stackOf(s *profile.Sample) (stack []string) {
	for _, location := range s.Location {
		for _, line := range location.Line { // the innermost inlined function first
			if line.Function != nil {
				stack = append(stack, line.Function.Name)
			}
		}
	}
	return stack
}
