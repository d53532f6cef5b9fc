// Each snippet of the documentation, run as a program of its own, as a user runs it.

import { report } from './lib/server.mjs';

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = new URL('./snippets/', import.meta.url);
const LOOPBACK_ONLY = new URL('./lib/loopback.mjs', import.meta.url);

const printed = {
  'adk.mjs': /^\{ 'user:language': 'de' \} Hello$/m,
  'aiplatform-grpc.mjs': /^alice \{ greeted: true \}$/m,
  'aiplatform-rest.mjs': /^\[ 'alice' \]\n9 The ReasoningEngine ".*" contains child resources: sessions\./m,
  'vertexai.mjs': /^\{ greeted: true \}$/m,
};

for (const name of ['@google/adk', '@google-cloud/aiplatform', '@google-cloud/vertexai']) report(name);

test('no snippet is forgotten here', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(printed));
});

for (const [file, expected] of Object.entries(printed)) {
  test(file, async () => {
    // A snippet that keeps the process alive is wrong: it must end by itself well before this.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', LOOPBACK_ONLY.href, fileURLToPath(new URL(file, FOLDER))],
      { timeout: 60_000 },
    );
    assert.match(stdout, expected);
  });
}
