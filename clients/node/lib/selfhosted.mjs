// The Agent Engine client of @google-cloud/vertexai, which is ADK's too, pointed at the server.

import { LOCATION, PROJECT, SERVER } from './server.mjs';

import { Client } from '@google-cloud/vertexai';

/** The published client; it takes an address, but no credentials, so that those are replaced once it is made. */
export class SelfHostedClient extends Client {
  constructor() {
    super({ project: PROJECT, location: LOCATION, apiEndpoint: SERVER.origin });
    this.apiClient.clientOptions.auth = {
      addAuthHeaders: async (headers) => headers.set('Authorization', 'Bearer local'),
    };
  }
}

/** The engines of the server; the published getter for them says that they are experimental. */
export const engines = new SelfHostedClient().agentEnginesInternal;

/** An engine for one test: an operation's name begins with that of what it made. */
export async function makeEngine(displayName = 'for a test') {
  const operation = await engines.createInternal({ config: { displayName } });
  return operation.name.split('/operations/')[0];
}
