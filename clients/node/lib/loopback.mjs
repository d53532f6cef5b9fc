// Keeps a test on this machine: imported first, it drops the machine's own cloud set-up and refuses any other host.

import { isIP, Socket } from 'node:net';

for (const name of Object.keys(process.env)) {
  if (/^(GOOGLE_|GCLOUD_|CLOUDSDK_|GEMINI_|(HTTPS?|ALL|NO|GRPC)_PROXY$)/i.test(name)) delete process.env[name];
}

const isLoopback = (host) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...args) {
  // Node hands its own callers' arguments over as one array: options first.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = options?.path === undefined ? String(options?.host ?? 'localhost') : 'localhost';
  if (!isLoopback(host)) throw new Error(`a test tried to reach ${host}`);
  return connect.apply(this, args);
};
