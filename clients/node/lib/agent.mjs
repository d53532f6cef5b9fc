// An agent with one tool, whose model is a script.

import './loopback.mjs';

import { BaseLlm, FunctionTool, LlmAgent } from '@google/adk';

/** Asks for `book` after each message of the user, and reports after each answer of the tool. */
class ScriptedModel extends BaseLlm {
  constructor() {
    super({ model: 'scripted' });
  }

  async *generateContentAsync({ contents }) {
    const part = contents.at(-1).parts.at(-1);
    // How much of the conversation reaches the model: all of it must have been read back.
    const seen = contents.filter((content) => content.role === 'user' && content.parts[0].text).length;
    const answer = part.functionResponse
      ? { text: `Trip ${part.functionResponse.response.number} is booked; messages so far: ${seen}.` }
      : { functionCall: { name: 'book', args: { city: part.text.split(' ').at(-1) } } };
    yield {
      content: { role: 'model', parts: [answer] },
      usageMetadata: { promptTokenCount: 10 * seen, candidatesTokenCount: 7, totalTokenCount: 10 * seen + 7 },
    };
  }

  async connect() {
    throw new Error('the script has no live mode');
  }
}

const book = new FunctionTool({
  name: 'book',
  description: 'Books a trip to a city.',
  parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] },
  execute({ city }, { state }) {
    const number = state.get('bookings', 0) + 1;
    state.set('bookings', number);
    state.set('user:last_city', city);
    state.set('app:total', state.get('app:total', 0) + 1);
    state.set('temp:draft', `draft ${number}`);
    return { booked: city, number };
  },
});

export const travelAgent = () =>
  new LlmAgent({ name: 'travel_agent', model: new ScriptedModel(), instruction: 'Book trips.', tools: [book] });
