import { v1beta1 } from '@google-cloud/aiplatform';
import { PassThroughClient } from 'google-auth-library';

const server = new URL(process.env.COLLOQUY_URL);
const options = {
  apiEndpoint: server.hostname,
  port: Number(server.port),
  fallback: true, // REST instead of gRPC
  protocol: 'http', // without TLS
  authClient: new PassThroughClient(), // no Google credentials
};
const engines = new v1beta1.ReasoningEngineServiceClient(options);
const sessions = new v1beta1.SessionServiceClient(options);

const [creation] = await engines.createReasoningEngine({
  parent: 'projects/my-project/locations/us-central1',
  reasoningEngine: { displayName: 'assistant' },
});
const [engine] = await creation.promise();
for (const userId of ['alice', 'bob']) await sessions.createSession({ parent: engine.name, session: { userId } });

const [alices] = await sessions.listSessions({ parent: engine.name, filter: 'user_id="alice"' });
console.log(alices.map((session) => session.userId));

try {
  await engines.deleteReasoningEngine({ name: engine.name });
} catch (error) {
  console.log(error.code, error.message);
}
