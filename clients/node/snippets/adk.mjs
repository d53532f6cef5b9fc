import { Client } from '@google-cloud/vertexai';
import { createEvent, VertexAiSessionService } from '@google/adk';

// The client takes an address but no credentials: without these lines it asks for the machine's own Google ones.
class SelfHosted extends Client {
  constructor(options) {
    super(options);
    this.apiClient.clientOptions.auth = {
      addAuthHeaders: async (headers) => headers.set('Authorization', 'Bearer local'),
    };
  }
}

const { agentEnginesInternal: engines } = new SelfHosted({
  project: 'my-project',
  location: 'us-central1',
  apiEndpoint: process.env.COLLOQUY_URL,
});
const engine = await engines.createInternal({ config: { displayName: 'assistant' } });
const appName = engine.response.name;

// This is what a Runner takes: new Runner({ appName, agent, sessionService }).
const sessionService = new VertexAiSessionService({ sessions: engines.sessions });
const session = await sessionService.createSession({ appName, userId: 'alice', state: { 'user:language': 'de' } });
const content = { role: 'user', parts: [{ text: 'Hello' }] };
await sessionService.appendEvent({ session, event: createEvent({ author: 'user', invocationId: 'turn-1', content }) });

const again = await sessionService.getSession({ appName, userId: 'alice', sessionId: session.id });
console.log(again.state, again.events[0].content.parts[0].text);
