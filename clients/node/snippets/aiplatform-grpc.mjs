import { helpers, v1beta1 } from '@google-cloud/aiplatform';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';

const server = new URL(process.env.COLLOQUY_URL);
const options = {
  apiEndpoint: server.hostname,
  port: Number(server.port),
  sslCreds: credentials.createInsecure(), // gRPC without TLS
  authClient: new PassThroughClient(), // no Google credentials
};
const engines = new v1beta1.ReasoningEngineServiceClient(options);
const sessions = new v1beta1.SessionServiceClient(options);

const [creation] = await engines.createReasoningEngine({
  parent: 'projects/my-project/locations/us-central1',
  reasoningEngine: { displayName: 'assistant' },
});
const [engine] = await creation.promise();
const [opening] = await sessions.createSession({ parent: engine.name, session: { userId: 'alice' } });
const [{ name }] = await opening.promise();

await sessions.appendEvent({
  name,
  event: {
    author: 'user',
    invocationId: 'turn-1',
    timestamp: { seconds: Math.floor(Date.now() / 1000) },
    content: { role: 'user', parts: [{ text: 'Hello' }] },
    actions: { stateDelta: helpers.toValue({ greeted: true }).structValue },
  },
});
const [session] = await sessions.getSession({ name });
console.log(session.userId, helpers.fromValue({ kind: 'structValue', structValue: session.sessionState }));

await Promise.all([engines.close(), sessions.close()]);
