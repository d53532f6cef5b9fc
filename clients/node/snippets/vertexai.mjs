import { Client } from '@google-cloud/vertexai';

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
const { response: session } = await engines.sessions.createInternal({ name: engine.response.name, userId: 'alice' });
await engines.sessions.events.append({
  name: session.name,
  author: 'user',
  invocationId: 'turn-1',
  timestamp: new Date().toISOString(),
  config: { content: { role: 'user', parts: [{ text: 'Hello' }] }, actions: { stateDelta: { greeted: true } } },
});
console.log((await engines.sessions.get({ name: session.name })).sessionState);
