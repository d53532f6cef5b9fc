// Package aiplatform drives a running server with Google's generated Go clients.
package aiplatform

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	library  = "cloud.google.com/go/aiplatform"
	location = "projects/my-project/locations/us-central1"
)

func TestMain(m *testing.M) {
	if os.Getenv("COLLOQUY_URL") == "" {
		fmt.Fprintln(os.Stderr, "set COLLOQUY_URL to the address of a running server, or run `cargo xtask clients`")
		os.Exit(2)
	}
	if err := report(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot report the library's version:", err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// report tells the version of the library under test. A test binary carries no
// module versions of its own, so the go command is asked.
func report() error {
	file := os.Getenv("COLLOQUY_REPORT")
	if file == "" {
		return nil
	}
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", library).Output()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s %s\n", library, strings.TrimSpace(string(version))); err != nil {
		return err
	}
	return out.Close()
}
