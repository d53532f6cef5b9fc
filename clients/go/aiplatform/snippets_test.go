package aiplatform

import (
	"os/exec"
	"regexp"
	"testing"
)

func TestSnippetGRPC(t *testing.T) { snippet(t, "aiplatform_grpc") }

func TestSnippetREST(t *testing.T) { snippet(t, "aiplatform_rest") }

// snippet runs a program of the documentation as a reader would.
func snippet(t *testing.T, name string) {
	out, err := exec.Command("go", "run", "../snippets/"+name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	want := regexp.MustCompile(`^alice ` + location + `/reasoningEngines/[0-9]+/sessions/[0-9]+\n$`)
	if !want.Match(out) {
		t.Errorf("it prints %q", out)
	}
}
