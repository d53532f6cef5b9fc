// Package adk drives a running server with Google's ADK for Go: its Vertex AI
// session service, and its runner on top of it.
package adk

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// libraries are both major versions of ADK, each a module.
var libraries = []string{"google.golang.org/adk/v2", "google.golang.org/adk"}

func TestMain(m *testing.M) {
	if os.Getenv("COLLOQUY_URL") == "" {
		fmt.Fprintln(os.Stderr, "set COLLOQUY_URL to the address of a running server, or run `cargo xtask clients`")
		os.Exit(2)
	}
	if err := report(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot report the libraries' versions:", err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// report tells the versions of the libraries under test. A test binary carries
// no module versions of its own, so the go command is asked.
func report() error {
	file := os.Getenv("COLLOQUY_REPORT")
	if file == "" {
		return nil
	}
	arguments := append([]string{"list", "-m", "-f", "{{.Path}} {{.Version}}"}, libraries...)
	versions, err := exec.Command("go", arguments...).Output()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := out.Write(versions); err != nil {
		return err
	}
	return out.Close()
}
