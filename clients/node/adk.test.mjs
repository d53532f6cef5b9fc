// ADK's VertexAiSessionService, as it is published, in a real Runner.

import { report } from './lib/server.mjs';
import { travelAgent } from './lib/agent.mjs';
import { engines, makeEngine } from './lib/selfhosted.mjs';

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { createEvent, createEventActions, Runner, setLogger, VertexAiSessionService } from '@google/adk';

const START = Date.UTC(2026, 2, 1, 12);
const TURNS = 20;
// A turn's events: the user's message, the call, the tool's answer, the report.
const EVENTS_PER_TURN = 4;
const DAY = 86_400_000;

report('@google/adk');
// Else it prints that the service is experimental, and every refusal that is expected here.
setLogger(null);

describe('VertexAiSessionService', () => {
  const service = new VertexAiSessionService({ sessions: engines.sessions });
  let appName;

  beforeEach(async () => {
    appName = await makeEngine();
  });

  /** Plays turns, and returns what the runner yielded. */
  async function converse(runner, userId, sessionId, turns) {
    const events = [];
    for (let turn = 0; turn < turns; turn++) {
      const newMessage = { role: 'user', parts: [{ text: `Please book city-${turn}` }] };
      for await (const event of runner.runAsync({ userId, sessionId, newMessage })) events.push(event);
    }
    return events;
  }

  const runner = () => new Runner({ appName, agent: travelAgent(), sessionService: service });
  const message = (n) =>
    createEvent({
      author: 'user',
      invocationId: `turn-${n}`,
      timestamp: START + n * 1000,
      content: { role: 'user', parts: [{ text: `${n}` }] },
    });
  /** An event as it is after a journey: ids are the server's, and what is undefined is not sent. */
  const sent = ({ id, ...event }) => JSON.parse(JSON.stringify(event));

  it('keeps a conversation with tools in full', async () => {
    const state = { bookings: 0, 'app:total': 0, 'user:last_city': '', 'temp:draft': 'never sent' };
    const session = await service.createSession({ appName, userId: 'ann', state });
    const yielded = await converse(runner(), 'ann', session.id, TURNS);
    assert.equal(yielded.length, TURNS * (EVENTS_PER_TURN - 1));
    assert.equal(yielded.at(-1).content.parts[0].text, `Trip ${TURNS} is booked; messages so far: ${TURNS}.`);

    const kept = await service.getSession({ appName, userId: 'ann', sessionId: session.id });
    assert.deepEqual(kept.state, { bookings: TURNS, 'app:total': TURNS, 'user:last_city': `city-${TURNS - 1}` });
    assert.equal(kept.events.length, TURNS * EVENTS_PER_TURN);
    const fromAgent = kept.events.filter((event) => event.author !== 'user');
    assert.deepEqual(fromAgent.map(sent), yielded.map(sent));
    const [, call, answer] = kept.events;
    assert.deepEqual(call.content.parts[0].functionCall.args, { city: 'city-0' });
    assert.equal(call.content.parts[0].functionCall.id, answer.content.parts[0].functionResponse.id);
    assert.equal(call.usageMetadata.totalTokenCount, 17);
    assert.deepEqual(answer.actions.stateDelta, { bookings: 1, 'user:last_city': 'city-0', 'app:total': 1 });
  });

  it('shares state with exactly the sessions it is meant for', async () => {
    const first = await service.createSession({ appName, userId: 'ann' });
    await converse(runner(), 'ann', first.id, 2);
    const anns = await service.createSession({ appName, userId: 'ann', state: { own: true } });
    const bobs = await service.createSession({ appName, userId: 'bob', sessionId: 'bobs-own-id' });
    assert.deepEqual(anns.state, { own: true, 'app:total': 2, 'user:last_city': 'city-1' });
    assert.deepEqual(bobs.state, { 'app:total': 2 });
    assert.equal(bobs.id, 'bobs-own-id');

    await converse(runner(), 'bob', bobs.id, 1);
    const again = await service.getSession({ appName, userId: 'ann', sessionId: first.id });
    assert.deepEqual(again.state, { bookings: 2, 'app:total': 3, 'user:last_city': 'city-1' });
    const { sessions } = await service.listSessions({ appName, userId: 'ann', order: 'asc' });
    assert.deepEqual(
      sessions.map(({ id, state }) => [id, state]),
      [
        [first.id, again.state],
        [anns.id, { own: true, 'app:total': 3, 'user:last_city': 'city-1' }],
      ],
    );
  });

  it('lists more sessions than the server answers at once, and only those of the user', async () => {
    const users = ['quote"quote', 'back\\slash', 'ünï cödé 🙂', 'a OR b', '*'];
    for (const userId of users) await service.createSession({ appName, userId });
    for (let n = 0; n < 105; n++) await service.createSession({ appName, userId: 'ann', sessionId: `s-${n}` });
    for (const userId of users) {
      const { sessions } = await service.listSessions({ appName, userId });
      assert.deepEqual(
        sessions.map((session) => session.userId),
        [userId],
      );
    }
    const pageOfAnns = await service.listSessions({ appName, userId: 'ann', limit: 3, page: 35 });
    assert.deepEqual([pageOfAnns.totalItems, pageOfAnns.totalPages, pageOfAnns.sessions.length], [105, 35, 3]);
    assert.equal((await service.listSessions({ appName })).totalItems, 110);
  });

  it('lets a session end when the caller says', async () => {
    const expiry = async (id) => {
      const { createTime, expireTime } = await engines.sessions.get({ name: `${appName}/sessions/${id}` });
      return [Date.parse(createTime), Date.parse(expireTime)];
    };
    const brief = await service.createSession({ appName, userId: 'ann', ttl: '172800s' });
    const [made, ends] = await expiry(brief.id);
    assert.ok(Math.abs(ends - made - 2 * DAY) < 1000);
    const expireTime = new Date(Date.now() + 40 * DAY).toISOString();
    const dated = await service.createSession({ appName, userId: 'ann', expireTime });
    assert.equal((await expiry(dated.id))[1], Date.parse(expireTime));
  });

  it('reads only as much as an agent asks for', async () => {
    const session = await service.createSession({ appName, userId: 'ann' });
    for (let n = 0; n < 110; n++) await service.appendEvent({ session, event: message(n) });
    const texts = async (config) => {
      const found = await service.getSession({ appName, userId: 'ann', sessionId: session.id, config });
      return found.events.map((event) => Number(event.content.parts[0].text));
    };
    assert.deepEqual(await texts({ numRecentEvents: 0 }), []);
    assert.deepEqual(await texts({ afterTimestamp: START + 107_000 }), [107, 108, 109]);
    assert.deepEqual(await texts({ afterTimestamp: START + 50_000, numRecentEvents: 2 }), [108, 109]);
    // This client reads one page of events: of a longer session it has the oldest hundred.
    const firstPage = Array.from({ length: 100 }, (_, n) => n);
    assert.deepEqual(await texts(), firstPage);
    assert.deepEqual(await texts({ numRecentEvents: 3 }), [97, 98, 99]);
  });

  it('keeps events of every kind as they were made', async () => {
    const session = await service.createSession({ appName, userId: 'ann' });
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
    const common = { author: 'travel_agent', invocationId: 'turn-1' };
    const made = [
      { content: { role: 'model', parts: [{ text: 'é 🙂 \u2028 "\\/' }, { text: 'hm', thought: true }] } },
      { content: { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: bytes } }] } },
      { content: { role: 'model', parts: [{ functionCall: { id: 'c', name: 'f', args: { deep: [1, null] } } }] } },
      { errorCode: 'SAFETY', errorMessage: 'blocked: "unsafe"\n' },
      { branch: 'root.child', turnComplete: true, interrupted: true, longRunningToolIds: ['c'] },
      { customMetadata: { trace: 'abc', n: 1 }, usageMetadata: { totalTokenCount: 5 } },
      {
        actions: createEventActions({
          stateDelta: { a: 1, 'app:b': [true], 'user:c': null, 'temp:d': 'taken out' },
          artifactDelta: { 'a.png': 3 },
          transferToAgent: 'billing',
          escalate: true,
          requestedToolConfirmations: { c: { hint: 'sure?', confirmed: false } },
          endOfAgent: true,
        }),
      },
    ].map((fields, n) => createEvent({ ...common, ...fields, timestamp: START + n }));
    for (const event of made) await service.appendEvent({ session, event });

    const kept = await service.getSession({ appName, userId: 'ann', sessionId: session.id });
    assert.deepEqual(kept.events.map(sent), made.map(sent));
    assert.deepEqual(kept.state, { a: 1, 'app:b': [true], 'user:c': null });
    // The typed fields hold what this client sent beside its own dump of the event.
    const { sessionEvents } = await engines.sessions.events.listInternal({ name: `${appName}/sessions/${session.id}` });
    assert.equal(sessionEvents[1].content.parts[0].inlineData.data, bytes);
    assert.equal(sessionEvents[6].actions.transferAgent, 'billing');
    assert.deepEqual(sessionEvents[6].actions.requestedToolConfirmations, { c: { hint: 'sure?', confirmed: false } });
  });

  it('reads events that other clients wrote', async () => {
    const session = await service.createSession({ appName, userId: 'ann' });
    await engines.sessions.events.append({
      name: `${appName}/sessions/${session.id}`,
      author: 'travel_agent',
      invocationId: 'turn-1',
      timestamp: '2026-03-01T13:00:00.250+01:00',
      config: {
        content: { role: 'model', parts: [{ text: 'from elsewhere' }] },
        actions: { stateDelta: { a: 1 }, transferAgent: 'billing' },
        eventMetadata: { branch: 'root.child', customMetadata: { trace: 'abc' } },
      },
    });
    const { events, state } = await service.getSession({ appName, userId: 'ann', sessionId: session.id });
    assert.deepEqual(state, { a: 1 });
    const [{ author, content, timestamp, branch, customMetadata, actions }] = events;
    assert.deepEqual([author, timestamp, branch], ['travel_agent', START + 250, 'root.child']);
    assert.deepEqual(content, { role: 'model', parts: [{ text: 'from elsewhere' }] });
    assert.deepEqual(customMetadata, { trace: 'abc' });
    assert.deepEqual([actions.stateDelta, actions.transferToAgent], [{ a: 1 }, 'billing']);
  });

  it('refuses what the live service refuses', async () => {
    const ask = { appName, userId: 'ann', sessionId: 'never-made' };
    assert.equal(await service.getSession(ask), undefined);
    await service.deleteSession(ask);

    const session = await service.createSession({ appName, userId: 'ann', sessionId: 'taken' });
    await assert.rejects(service.createSession({ appName, userId: 'ann', sessionId: 'taken' }), {
      name: 'ApiError',
      status: 400,
      message: /Session with user-provided ID '.*\/sessions\/taken' already exists\./,
    });
    for (const method of ['getSession', 'deleteSession']) {
      const bobs = service[method]({ appName, userId: 'bob', sessionId: session.id });
      await assert.rejects(bobs, /does not belong to user bob/);
    }
    await service.deleteSession({ appName, userId: 'ann', sessionId: session.id });
    assert.equal(await service.getSession({ appName, userId: 'ann', sessionId: session.id }), undefined);
    await assert.rejects(service.appendEvent({ session, event: message(0) }), {
      name: 'ApiError',
      status: 404,
      message: /Session projects\/.*\/sessions\/taken not found\./,
    });
  });
});
