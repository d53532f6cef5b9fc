// The generated clients of @google-cloud/aiplatform, set up as a user does who has a server of their own.

import { SERVER } from './server.mjs';

import { helpers } from '@google-cloud/aiplatform';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { GoogleError } from 'google-gax';

/** An auth client that adds nothing, so that no Google host is asked for a token. */
const authClient = new PassThroughClient();
const address = { apiEndpoint: SERVER.hostname, port: Number(SERVER.port) };

export const GRPC = {
  name: 'gRPC',
  options: { ...address, authClient, sslCreds: credentials.createInsecure() },
  errorType: Error,
  // gRPC puts the number and name of the code before the message, and the bare message beside it.
  textOf: (error) => error.details,
};

export const REST = {
  name: 'REST',
  options: { ...address, authClient, fallback: true, protocol: 'http' },
  errorType: GoogleError,
  textOf: (error) => error.message,
};

/** A plain object as the Struct that the clients want. */
export const struct = (object) => helpers.toValue(object).structValue;

/** A Struct of an answer as a plain object. */
export const plain = (value) => (value ? helpers.fromValue({ kind: 'structValue', structValue: value }) : {});

/** A date as the Timestamp that the clients want. */
export const timestamp = (milliseconds) => ({
  seconds: Math.floor(milliseconds / 1000),
  nanos: (milliseconds % 1000) * 1e6,
});

/** A Timestamp of an answer in milliseconds; its seconds are a string or a Long. */
export const milliseconds = ({ seconds, nanos }) => Number(String(seconds)) * 1000 + nanos / 1e6;

/** All that an iterating list method yields; the option is what it does anyway, and spares its warning. */
export async function all(list, request) {
  const items = [];
  for await (const item of list(request, { autoPaginate: false })) items.push(item);
  return items;
}

/** All pages that a list method answers, asked for one by one as its first answer suggests. */
export async function pages(list, request) {
  const found = [];
  for (let next = request; next; ) {
    const [page, following] = await list(next, { autoPaginate: false });
    found.push(page);
    next = following;
  }
  return found;
}
