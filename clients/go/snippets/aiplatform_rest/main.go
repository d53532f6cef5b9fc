// Command aiplatform_rest makes an engine and a session over REST.
package main

import (
	"context"
	"fmt"
	"os"

	aiplatform "cloud.google.com/go/aiplatform/apiv1beta1"
	pb "cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/api/option"
)

func main() {
	ctx := context.Background()
	options := []option.ClientOption{
		option.WithEndpoint(os.Getenv("COLLOQUY_URL")), // http://host:port
		option.WithoutAuthentication(),
	}
	engines := must(aiplatform.NewReasoningEngineRESTClient(ctx, options...))
	sessions := must(aiplatform.NewSessionRESTClient(ctx, options...))

	parent := "projects/my-project/locations/us-central1"
	making := must(engines.CreateReasoningEngine(ctx, &pb.CreateReasoningEngineRequest{
		Parent: parent, ReasoningEngine: &pb.ReasoningEngine{DisplayName: "assistant"}}))
	engine := must(making.Wait(ctx))
	beginning := must(sessions.CreateSession(ctx, &pb.CreateSessionRequest{
		Parent: engine.Name, Session: &pb.Session{UserId: "alice"}}))
	session := must(beginning.Wait(ctx))
	fmt.Println(session.UserId, session.Name)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
