package adk

import (
	"os/exec"
	"regexp"
	"testing"
)

// TestSnippet runs the program of the documentation as a reader would.
func TestSnippet(t *testing.T) {
	out, err := exec.Command("go", "run", "./snippets/adk", newEngine(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if !regexp.MustCompile(`^[0-9]+ de\n$`).Match(out) {
		t.Errorf("it prints %q", out)
	}
}
