// @google-cloud/aiplatform over gRPC without TLS.

import { report } from './lib/server.mjs';
import { GRPC } from './lib/aiplatform.mjs';
import { wholeLife } from './lib/life.mjs';

report('@google-cloud/aiplatform');
for (const version of ['v1', 'v1beta1']) wholeLife(version, GRPC);
