// Command adk begins a session of an engine with ADK's session service.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/vertexai"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	ctx := context.Background()
	engine := os.Args[1] // projects/my-project/locations/us-central1/reasoningEngines/123
	service := must(vertexai.NewSessionService(ctx,
		vertexai.VertexAIServiceConfig{ProjectID: "my-project", Location: "us-central1"},
		option.WithEndpoint(strings.TrimPrefix(os.Getenv("COLLOQUY_URL"), "http://")), // host:port
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithoutAuthentication(),
	)) // Goes into runner.Config{SessionService: service, AppName: engine, ...}.

	begun := must(service.Create(ctx, &session.CreateRequest{
		AppName: engine, UserID: "alice", State: map[string]any{"user:lang": "de"}}))
	read := must(service.Get(ctx, &session.GetRequest{
		AppName: engine, UserID: "alice", SessionID: begun.Session.ID()}))
	fmt.Println(read.Session.ID(), must(read.Session.State().Get("user:lang")))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
