// The whole life of engines, sessions and events through the generated clients of one version over one transport.

import { PARENT } from './server.mjs';
import { all, milliseconds, pages, plain, struct, timestamp } from './aiplatform.mjs';

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';

import aiplatform from '@google-cloud/aiplatform';
import { Status } from 'google-gax';

const START = Date.UTC(2026, 2, 1, 12);
const EVENTS = 150;
const DAY = 86_400_000;
const MISSING_AUTHOR = 'List of found errors:\t1.Field: event.author; Message: Required field is not set.\t';

export function wholeLife(version, transport) {
  const type = (name) => `type.googleapis.com/google.cloud.aiplatform.${version}.${name}`;

  /** Waits for an operation; what it holds must be of the types of the version that was called. */
  async function settled([operation], response, metadata) {
    const [result, progress, raw] = await operation.promise();
    assert.equal(raw.done, true);
    assert.equal(raw.response.type_url, response.includes('.') ? `type.googleapis.com/${response}` : type(response));
    assert.equal(raw.metadata.type_url, type(metadata));
    assert.ok(milliseconds(progress.genericMetadata.createTime) > 0);
    return result;
  }

  const createdEngine = (call) => settled(call, 'ReasoningEngine', 'CreateReasoningEngineOperationMetadata');
  const createdSession = (call) => settled(call, 'Session', 'CreateSessionOperationMetadata');
  const deleted = (call) => settled(call, 'google.protobuf.Empty', 'DeleteOperationMetadata');

  /** Expects a call to fail with this code and text, and these BadRequest violations where given. */
  async function refused(call, code, text, violations) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof transport.errorType);
      assert.equal(error.code, Status[code]);
      if (text instanceof RegExp) assert.match(transport.textOf(error), text);
      else assert.equal(transport.textOf(error), text);
      if (violations) {
        const found = error.statusDetails.flatMap(({ fieldViolations }) => fieldViolations ?? []);
        assert.deepEqual(
          found.map(({ field, description }) => ({ field, description })),
          violations,
        );
      }
      return true;
    });
  }

  describe(`${version} over ${transport.name}`, () => {
    let engines;
    let sessions;

    before(() => {
      engines = new aiplatform[version].ReasoningEngineServiceClient(transport.options);
      sessions = new aiplatform[version].SessionServiceClient(transport.options);
    });
    // Open channels would keep the process alive.
    after(() => Promise.all([engines.close(), sessions.close()]));

    const makeEngine = async (displayName = 'for a test') =>
      (await createdEngine(await engines.createReasoningEngine({ parent: PARENT, reasoningEngine: { displayName } })))
        .name;
    const makeSession = async (engine, session, sessionId) =>
      createdSession(await sessions.createSession({ parent: engine, session, sessionId }));
    const stateOf = async (name) => plain((await sessions.getSession({ name }))[0].sessionState);

    it('makes, finds, changes and deletes engines', async () => {
      const displayName = `found among others ${Math.random()}`;
      const reasoningEngine = { displayName, description: 'made by a test', labels: { team: 'blue' } };
      const made = await createdEngine(await engines.createReasoningEngine({ parent: PARENT, reasoningEngine }));
      assert.match(made.name, new RegExp(`^${PARENT}/reasoningEngines/\\d+$`));

      const [got] = await engines.getReasoningEngine({ name: made.name });
      assert.equal(got.displayName, displayName);
      assert.equal(got.description, 'made by a test');
      assert.deepEqual({ ...got.labels }, { team: 'blue' });
      assert.equal(milliseconds(got.createTime), milliseconds(made.createTime));

      const twin = await makeEngine(displayName);
      const filter = `display_name="${displayName}"`;
      const walk = await pages((...args) => engines.listReasoningEngines(...args), {
        parent: PARENT,
        filter,
        pageSize: 1,
      });
      assert.deepEqual(
        walk.map((page) => page.length),
        [1, 1],
      );
      assert.deepEqual(walk.flat().map((engine) => engine.name).sort(), [made.name, twin].sort());
      const every = await all((...args) => engines.listReasoningEnginesAsync(...args), { parent: PARENT });
      assert.ok(every.some((engine) => engine.name === twin));

      const changed = await settled(
        await engines.updateReasoningEngine({
          reasoningEngine: { name: made.name, displayName: 'renamed', description: 'not named by the mask' },
          updateMask: { paths: ['display_name'] },
        }),
        'ReasoningEngine',
        'UpdateReasoningEngineOperationMetadata',
      );
      assert.equal(changed.displayName, 'renamed');
      assert.equal(changed.description, 'made by a test');

      await deleted(await engines.deleteReasoningEngine({ name: made.name }));
      await refused(
        engines.getReasoningEngine({ name: made.name }),
        'NOT_FOUND',
        'The ReasoningEngine does not exist.',
      );
      await deleted(await engines.deleteReasoningEngine({ name: twin }));
    });

    it('makes, lists, changes and deletes sessions', async () => {
      const engine = await makeEngine();
      const first = await makeSession(
        engine,
        {
          userId: 'alice',
          displayName: 'first',
          labels: { team: 'blue', größe: 'klein' },
          sessionState: struct({ greeting: 'hello', 'app:model': 'm-1', 'user:lang': 'de', 'temp:draft': 1, count: 0 }),
          ttl: { seconds: 172_800 },
        },
        'first-session',
      );
      assert.equal(first.name, `${engine}/sessions/first-session`);
      const [got] = await sessions.getSession({ name: first.name });
      assert.equal(got.userId, 'alice');
      assert.equal(got.displayName, 'first');
      assert.deepEqual({ ...got.labels }, { team: 'blue', größe: 'klein' });
      assert.deepEqual(plain(got.sessionState), {
        greeting: 'hello',
        'app:model': 'm-1',
        'user:lang': 'de',
        count: 0,
      });
      assert.ok(Math.abs(milliseconds(got.expireTime) - milliseconds(got.createTime) - 2 * DAY) < 1000);

      const others = [];
      for (let n = 0; n < 6; n++) {
        others.push(await makeSession(engine, { userId: 'alice', labels: { team: n % 2 ? 'red' : 'blue' } }));
      }
      const expireTime = Date.now() + 40 * DAY;
      const bobs = await makeSession(engine, { userId: 'bob', expireTime: timestamp(expireTime) });
      assert.equal(milliseconds(bobs.expireTime), expireTime);
      // What belongs to the app is seen by bob, what belongs to alice is not.
      assert.deepEqual(await stateOf(bobs.name), { 'app:model': 'm-1' });

      const filter = 'user_id="alice"';
      const list = (...args) => sessions.listSessions(...args);
      const walk = await pages(list, { parent: engine, filter, pageSize: 3, orderBy: 'create_time' });
      assert.deepEqual(
        walk.map((page) => page.length),
        [3, 3, 1],
      );
      const alices = [first, ...others].map((session) => session.name);
      assert.deepEqual(
        walk.flat().map((session) => session.name),
        alices,
      );
      const newestFirst = await all((...args) => sessions.listSessionsAsync(...args), {
        parent: engine,
        filter,
        pageSize: 3,
        orderBy: 'create_time desc',
      });
      assert.deepEqual(
        newestFirst.map((session) => session.name),
        alices.toReversed(),
      );
      const blue = [];
      const stream = sessions.listSessionsStream(
        { parent: engine, filter: 'labels.team="blue"', pageSize: 3 },
        { autoPaginate: false },
      );
      await once(
        stream.on('data', (session) => blue.push(session)),
        'end',
      );
      assert.equal(blue.length, 4);
      assert.equal((await sessions.listSessions({ parent: engine }))[0].length, 8);

      const [renamed] = await sessions.updateSession({
        session: { name: first.name, displayName: 'renamed', labels: { not: 'named' } },
        updateMask: { paths: ['display_name'] },
      });
      assert.equal(renamed.displayName, 'renamed');
      assert.deepEqual({ ...renamed.labels }, { team: 'blue', größe: 'klein' });

      await deleted(await sessions.deleteSession({ name: first.name }));
      await refused(sessions.getSession({ name: first.name }), 'NOT_FOUND', `Session ${first.name} not found.`);
      // What belongs to the user outlives the session that set it.
      assert.equal((await stateOf(others[0].name))['user:lang'], 'de');
      await deleted(await engines.deleteReasoningEngine({ name: engine, force: true }));
    });

    it('appends events, merges their state and lists them', async () => {
      const engine = await makeEngine();
      const { name } = await makeSession(engine, { userId: 'alice', sessionState: struct({ greeting: 'hello' }) });
      const neighbour = await makeSession(engine, { userId: 'alice' });
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      for (let n = 0; n < EVENTS; n++) {
        await sessions.appendEvent({
          name,
          event: {
            author: n % 2 ? 'assistant' : 'user',
            invocationId: `turn-${Math.floor(n / 2)}`,
            timestamp: timestamp(START + n * 1000),
            content: {
              role: n % 2 ? 'model' : 'user',
              parts: [
                { text: `message ${n} – ünïcode 🙂` },
                { inlineData: { mimeType: 'image/png', data: bytes } },
                { functionCall: { name: 'search', args: struct({ q: 'x', deep: [1, null, { a: 2.5 }] }) } },
              ],
            },
            actions: {
              stateDelta: struct({
                count: n,
                [`k${n % 10}`]: { last: n },
                'app:events': n,
                'user:latest': `turn-${n}`,
                'temp:scratch': n,
                nothing: null,
              }),
              artifactDelta: { 'a.png': n },
              escalate: true,
            },
            eventMetadata: {
              turnComplete: true,
              branch: 'main',
              longRunningToolIds: ['call-1'],
              customMetadata: struct({ trace: 'abc', n }),
            },
            rawEvent: struct({ id: `raw-${n}`, nested: { list: [] } }),
          },
        });
      }

      assert.deepEqual(await stateOf(name), {
        greeting: 'hello',
        count: EVENTS - 1,
        'app:events': EVENTS - 1,
        'user:latest': `turn-${EVENTS - 1}`,
        nothing: null,
        ...Object.fromEntries(
          Array.from({ length: 10 }, (_, digit) => [`k${digit}`, { last: EVENTS - 10 + digit }]),
        ),
      });
      assert.deepEqual(await stateOf(neighbour.name), {
        'app:events': EVENTS - 1,
        'user:latest': `turn-${EVENTS - 1}`,
      });

      const list = (...args) => sessions.listEvents(...args);
      const walk = await pages(list, { parent: name });
      assert.deepEqual(
        walk.map((page) => page.length),
        [100, EVENTS - 100],
      );
      const events = walk.flat();
      events.forEach((event, n) => assert.equal(milliseconds(event.timestamp), START + n * 1000));
      assert.equal(new Set(events.map((event) => event.name)).size, EVENTS);

      const event = events[7];
      assert.ok(event.name.startsWith(`${name}/events/`));
      assert.equal(event.author, 'assistant');
      assert.equal(event.invocationId, 'turn-3');
      const [text, image, call] = event.content.parts;
      assert.equal(text.text, 'message 7 – ünïcode 🙂');
      assert.deepEqual(Buffer.from(image.inlineData.data), bytes);
      assert.equal(call.functionCall.name, 'search');
      assert.deepEqual(plain(call.functionCall.args), { q: 'x', deep: [1, null, { a: 2.5 }] });
      assert.deepEqual(plain(event.actions.stateDelta), {
        count: 7,
        k7: { last: 7 },
        'app:events': 7,
        'user:latest': 'turn-7',
        'temp:scratch': 7,
        nothing: null,
      });
      assert.deepEqual({ ...event.actions.artifactDelta }, { 'a.png': 7 });
      assert.equal(event.actions.escalate, true);
      assert.equal(event.eventMetadata.turnComplete, true);
      assert.equal(event.eventMetadata.branch, 'main');
      assert.deepEqual([...event.eventMetadata.longRunningToolIds], ['call-1']);
      assert.deepEqual(plain(event.eventMetadata.customMetadata), { trace: 'abc', n: 7 });
      assert.deepEqual(plain(event.rawEvent), { id: 'raw-7', nested: { list: [] } });

      const since = new Date(START + (EVENTS - 5) * 1000).toISOString();
      const late = await all((...args) => sessions.listEventsAsync(...args), {
        parent: name,
        filter: `timestamp>="${since}"`,
        pageSize: 2,
      });
      assert.deepEqual(
        late.map((event) => milliseconds(event.timestamp)),
        [5, 4, 3, 2, 1].map((n) => START + (EVENTS - n) * 1000),
      );
      const [[newest]] = await list({ parent: name, orderBy: 'timestamp desc', pageSize: 1 }, { autoPaginate: false });
      assert.equal(newest.name, events.at(-1).name);
      await deleted(await engines.deleteReasoningEngine({ name: engine, force: true }));
    });

    it('answers for operations after they ended', async () => {
      const engine = await makeEngine();
      const list = (...args) => sessions.listOperationsAsync(...args);
      // To cancel what is done changes nothing; to delete it makes it unknown.
      const cancelAndDelete = async ({ name }, metadata) => {
        await sessions.cancelOperation({ name });
        const [kept] = await sessions.getOperation({ name });
        assert.equal(kept.result, 'response');
        assert.equal(kept.metadata.type_url, type(metadata));
        await sessions.deleteOperation({ name });
        await refused(sessions.getOperation({ name }), 'NOT_FOUND', /not found/i);
      };

      const [creation] = await sessions.createSession({ parent: engine, session: { userId: 'alice' } });
      const [{ name }] = await creation.promise();
      assert.ok(creation.name.startsWith(`${name}/operations/`));
      const again = await sessions.checkCreateSessionProgress(creation.name);
      assert.equal(again.done, true);
      assert.equal(again.result.userId, 'alice');
      assert.equal(again.latestResponse.response.type_url, type('Session'));
      const ofSession = await all(list, { name });
      assert.deepEqual(
        ofSession.map((operation) => operation.name),
        [creation.name],
      );
      await cancelAndDelete(creation, 'CreateSessionOperationMetadata');

      // A deletion belongs to the location, for which the clients know other paths.
      const [deletion] = await sessions.deleteSession({ name });
      assert.ok(deletion.name.startsWith(`${PARENT}/operations/`));
      assert.equal((await sessions.checkDeleteSessionProgress(deletion.name)).done, true);
      const ofLocation = await all(list, { name: PARENT });
      assert.ok(ofLocation.some((operation) => operation.name === deletion.name));
      await cancelAndDelete(deletion, 'DeleteOperationMetadata');
      await deleted(await engines.deleteReasoningEngine({ name: engine, force: true }));
    });

    it('refuses with the codes, texts and details that the live service has', async () => {
      const engine = await makeEngine();
      const { name } = await makeSession(engine, { userId: 'alice' }, 'taken');
      const missing = `${engine}/sessions/missing`;
      for (const call of [
        () => sessions.getSession({ name: missing }),
        () => sessions.listEvents({ parent: missing }),
        () => sessions.deleteSession({ name: missing }),
      ]) {
        await refused(call(), 'NOT_FOUND', `Session ${missing} not found.`);
      }
      await refused(
        sessions.createSession({ parent: engine, session: { userId: 'alice' }, sessionId: 'taken' }),
        'INVALID_ARGUMENT',
        `Session with user-provided ID '${name}' already exists.`,
      );
      await refused(
        sessions.appendEvent({ name, event: { invocationId: 'turn-1', timestamp: timestamp(START) } }),
        'INVALID_ARGUMENT',
        MISSING_AUTHOR,
        [{ field: 'event.author', description: 'Required field is not set.' }],
      );
      await refused(
        sessions.updateSession({
          session: { name, sessionState: struct({ a: 1 }) },
          updateMask: { paths: ['session_state'] },
        }),
        'INVALID_ARGUMENT',
        /^Can't update the session state for session .*, you can only update it by appending an event\.$/,
      );
      await refused(
        sessions.listSessions({ parent: engine, filter: 'user_id=' }),
        'INVALID_ARGUMENT',
        /Field: filter;/,
      );
      await refused(
        engines.deleteReasoningEngine({ name: engine }),
        'FAILED_PRECONDITION',
        `The ReasoningEngine "${engine}" contains child resources: sessions. Please delete the child resources before` +
          ' deleting the ReasoningEngine, or set force to true to delete child resources.',
      );

      await deleted(await engines.deleteReasoningEngine({ name: engine, force: true }));
      await refused(
        engines.getReasoningEngine({ name: engine }),
        'NOT_FOUND',
        'The ReasoningEngine does not exist.',
      );
      await refused(
        sessions.createSession({ parent: engine, session: { userId: 'alice' } }),
        'NOT_FOUND',
        'The ReasoningEngine does not exist.',
      );
    });
  });
}
