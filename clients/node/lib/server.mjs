// The server under test, which whoever runs these tests has started, and the note of what was tested.

import './loopback.mjs';

import { appendFileSync, readFileSync } from 'node:fs';

if (!process.env.COLLOQUY_URL) {
  throw new Error(
    'set COLLOQUY_URL to the address of a running server, such as http://127.0.0.1:8080, or run `cargo xtask clients`',
  );
}

export const SERVER = new URL(process.env.COLLOQUY_URL);
export const PROJECT = 'my-project';
export const LOCATION = 'us-central1';
export const PARENT = `projects/${PROJECT}/locations/${LOCATION}`;

/** Notes the installed version of a client library under test in the file that COLLOQUY_REPORT names. */
export function report(name) {
  if (!process.env.COLLOQUY_REPORT) return;
  const { version } = JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url)));
  appendFileSync(process.env.COLLOQUY_REPORT, `${name} ${version}\n`);
}
