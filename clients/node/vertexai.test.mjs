// @google-cloud/vertexai, whose Agent Engine client reaches engines, sessions and events; @google/genai reaches none.

import { PARENT, report } from './lib/server.mjs';
import { engines, makeEngine } from './lib/selfhosted.mjs';

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { GoogleGenAI } from '@google/genai';

const START = Date.UTC(2026, 2, 1, 12);
const EVENTS = 120;
const TYPE = 'type.googleapis.com/google.cloud.aiplatform.v1beta1.';

report('@google-cloud/vertexai');

describe('the Agent Engine client of @google-cloud/vertexai', () => {
  const { sessions } = engines;

  /** Expects a call to fail with this HTTP status and google.rpc.Status; the client keeps the latter as text. */
  async function refused(call, httpStatus, status, text, violations) {
    await assert.rejects(call, (error) => {
      assert.equal(error.name, 'ApiError');
      assert.equal(error.status, httpStatus);
      const body = JSON.parse(error.message).error;
      assert.deepEqual([body.code, body.status, body.message], [httpStatus, status, text]);
      assert.deepEqual(body.details?.[0].fieldViolations, violations);
      return true;
    });
  }

  /** All pages of a list. */
  async function pages(list, request, items) {
    const found = [];
    let pageToken;
    do {
      const answer = await list({ ...request, config: { ...request.config, pageToken } });
      found.push(answer[items] ?? []);
      pageToken = answer.nextPageToken;
    } while (pageToken);
    return found;
  }

  it('makes, finds, changes and deletes engines', async () => {
    const displayName = `found among others ${Math.random()}`;
    const config = { displayName, description: 'made by a test', labels: { team: 'blue' } };
    const creation = await engines.createInternal({ config });
    assert.equal(creation.done, true);
    const { name } = creation.response;
    assert.match(name, new RegExp(`^${PARENT}/reasoningEngines/\\d+$`));
    const polled = await engines.getAgentOperationInternal({ operationName: creation.name });
    assert.deepEqual(polled.response, creation.response);

    const got = await engines.getInternal({ name });
    assert.deepEqual([got.displayName, got.description, got.labels], [displayName, 'made by a test', { team: 'blue' }]);
    const twin = await makeEngine(displayName);
    const walk = await pages(
      (request) => engines.listInternal(request),
      { config: { pageSize: 1, filter: `display_name="${displayName}"` } },
      'reasoningEngines',
    );
    assert.deepEqual(walk.map(([engine]) => engine.name).sort(), [name, twin].sort());

    const update = { displayName: 'renamed', description: 'not named by the mask', updateMask: 'display_name' };
    const changed = await engines.updateInternal({ name, config: update });
    assert.deepEqual([changed.response.displayName, changed.response.description], ['renamed', 'made by a test']);
    for (const engine of [name, twin]) await engines.deleteInternal({ name: engine });
    await refused(engines.getInternal({ name }), 404, 'NOT_FOUND', 'The ReasoningEngine does not exist.');
  });

  it('makes, lists, changes and deletes sessions', async () => {
    const engine = await makeEngine();
    const creation = await sessions.createInternal({
      name: engine,
      userId: 'alice',
      config: {
        sessionId: 'first-session',
        displayName: 'first',
        sessionState: { greeting: 'hello', 'app:model': 'm-1', 'user:lang': 'de', 'temp:draft': 1 },
        ttl: '172800s',
        labels: { team: 'blue' },
      },
    });
    assert.equal(creation.metadata['@type'], `${TYPE}CreateSessionOperationMetadata`);
    assert.equal(creation.response['@type'], `${TYPE}Session`);
    const { name } = creation.response;
    assert.equal(name, `${engine}/sessions/first-session`);
    const polled = await sessions.getSessionOperationInternal({ operationName: creation.name });
    assert.deepEqual(polled, creation);
    const got = await sessions.get({ name });
    assert.deepEqual(got.sessionState, { greeting: 'hello', 'app:model': 'm-1', 'user:lang': 'de' });
    assert.deepEqual([got.userId, got.displayName, got.labels], ['alice', 'first', { team: 'blue' }]);
    // Names may be relative to the client's project and location.
    const relative = name.slice(PARENT.length + 1);
    assert.deepEqual(await sessions.get({ name: relative }), got);

    for (let n = 0; n < 6; n++) await sessions.createInternal({ name: engine, userId: 'alice' });
    const bobs = (await sessions.createInternal({ name: engine, userId: 'bob' })).response;
    assert.deepEqual(bobs.sessionState, { 'app:model': 'm-1' });
    const walk = await pages(
      (request) => sessions.listInternal(request),
      { name: engine, config: { filter: 'user_id="alice"', pageSize: 3 } },
      'sessions',
    );
    assert.deepEqual(
      walk.map((page) => page.length),
      [3, 3, 1],
    );
    assert.ok(walk.flat().every((session) => session.userId === 'alice'));

    const config = { displayName: 'renamed', labels: { not: 'named' }, userId: 'alice', updateMask: 'displayName' };
    const renamed = await sessions.updateInternal({ name, config });
    assert.deepEqual([renamed.displayName, renamed.labels], ['renamed', { team: 'blue' }]);
    await refused(
      sessions.updateInternal({ name, config: { sessionState: { a: 1 }, updateMask: 'sessionState' } }),
      400,
      'INVALID_ARGUMENT',
      `Can't update the session state for session [${name}], you can only update it by appending an event.`,
    );
    await refused(
      sessions.createInternal({ name: engine, userId: 'alice', config: { sessionId: 'first-session' } }),
      400,
      'INVALID_ARGUMENT',
      `Session with user-provided ID '${name}' already exists.`,
    );

    const deletion = await sessions.delete({ name });
    assert.equal(deletion.done, true);
    assert.equal(deletion.metadata['@type'], `${TYPE}DeleteOperationMetadata`);
    await refused(sessions.get({ name }), 404, 'NOT_FOUND', `Session ${name} not found.`);
    await refused(
      engines.deleteInternal({ name: engine }),
      400,
      'FAILED_PRECONDITION',
      `The ReasoningEngine "${engine}" contains child resources: sessions. Please delete the child resources before` +
        ' deleting the ReasoningEngine, or set force to true to delete child resources.',
    );
    await engines.deleteInternal({ name: engine, force: true });
    await refused(engines.getInternal({ name: engine }), 404, 'NOT_FOUND', 'The ReasoningEngine does not exist.');
  });

  it('appends events, merges their state and lists them', async () => {
    const engine = await makeEngine();
    const { name } = (await sessions.createInternal({ name: engine, userId: 'alice' })).response;
    const at = (n) => new Date(START + n * 1000).toISOString();
    const fields = (n) => ({
      content: { role: 'user', parts: [{ text: `message ${n}` }, { functionCall: { name: 'f', args: { n } } }] },
      actions: { stateDelta: { count: n, 'app:events': n, 'user:latest': n, 'temp:scratch': n } },
      eventMetadata: { turnComplete: true, branch: 'main', customMetadata: { n } },
      rawEvent: { id: `raw-${n}` },
    });
    for (let n = 0; n < EVENTS; n++) {
      const event = { author: 'user', invocationId: `turn-${n}`, timestamp: at(n), config: fields(n) };
      await sessions.events.append({ name, ...event });
    }
    const { sessionState } = await sessions.get({ name });
    assert.deepEqual(sessionState, { count: EVENTS - 1, 'app:events': EVENTS - 1, 'user:latest': EVENTS - 1 });

    const list = (request) => sessions.events.listInternal(request);
    const walk = await pages(list, { name, config: {} }, 'sessionEvents');
    assert.deepEqual(
      walk.map((page) => page.length),
      [100, EVENTS - 100],
    );
    walk.flat().forEach((event, n) => {
      const { name: eventName, author, invocationId, timestamp, ...rest } = event;
      assert.ok(eventName.startsWith(`${name}/events/`));
      assert.deepEqual([author, invocationId, Date.parse(timestamp)], ['user', `turn-${n}`, START + n * 1000]);
      assert.deepEqual(rest, fields(n));
    });
    const late = await pages(
      list,
      { name, config: { filter: `timestamp>="${at(EVENTS - 5)}"`, pageSize: 2 } },
      'sessionEvents',
    );
    assert.deepEqual(
      late.flat().map((event) => event.actions.stateDelta.count),
      [5, 4, 3, 2, 1].map((n) => EVENTS - n),
    );
    await refused(
      sessions.events.append({ name, invocationId: 'turn-1', timestamp: at(0) }),
      400,
      'INVALID_ARGUMENT',
      'List of found errors:\t1.Field: event.author; Message: Required field is not set.\t',
      [{ field: 'event.author', description: 'Required field is not set.' }],
    );
    await engines.deleteInternal({ name: engine, force: true });
  });
});

it('@google/genai has nothing that reaches engines or sessions', () => {
  const client = new GoogleGenAI({ vertexai: true, project: 'my-project', location: 'us-central1' });
  const named = Object.keys(client).filter((name) => /session|engine/i.test(name));
  assert.deepEqual(named, []);
  // Not a single path of theirs is in what it ships for Node.
  const source = readFileSync(new URL(import.meta.resolve('@google/genai')), 'utf8');
  assert.ok(source.includes('cachedContents'));
  assert.doesNotMatch(source, /reasoningEngines|agentEngines/);
});
