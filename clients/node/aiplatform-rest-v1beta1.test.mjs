// The v1beta1 clients of @google-cloud/aiplatform over REST, which the library calls its fallback.
// A file, and so a process, for each version: all REST clients of a process ask for operations below the version of
// whichever client was made first.

import { report } from './lib/server.mjs';
import { REST } from './lib/aiplatform.mjs';
import { wholeLife } from './lib/life.mjs';

report('@google-cloud/aiplatform');
wholeLife('v1beta1', REST);
