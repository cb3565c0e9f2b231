package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
)

//go:embed static
var static embed.FS

// versions have the first digits of the hash of each file, by name. A page names the file
// with them, so a browser can keep it for as long as it likes.
var versions = fileVersions()

func fileVersions() map[string]string {
	list, err := static.ReadDir("static")
	if err != nil {
		panic(err) // it is embedded
	}
	found := map[string]string{}
	for _, f := range list {
		text, err := static.ReadFile("static/" + f.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(text)
		found[f.Name()] = hex.EncodeToString(sum[:6])
	}
	return found
}

// staticPath returns the address of a file of the folder static.
func staticPath(name string) string {
	return Prefix + "static/" + name + "?v=" + versions[name]
}

// serveStatic sends a file. Anybody may have it.
func serveStatic(w http.ResponseWriter, r *http.Request, name string) {
	text, err := static.ReadFile("static/" + name)
	if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "The console has no such file.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	if r.URL.Query().Get("v") == versions[name] {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(text)
}
