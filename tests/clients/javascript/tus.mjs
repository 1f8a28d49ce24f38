// tus-js-client: a one-time address takes a file in parts, and goes on after the client was stopped.
import { Upload } from 'tus-js-client';
import { authorization, done, expect, libraryId, organizationId, picture, url, versionOf } from './environment.mjs';

const CHUNK = 50_000;
const created = await fetch(`${url}/organizations/${organizationId}/libraries/${libraryId}/uploads`, {
  method: 'POST',
  headers: { ...authorization, 'Api-Version': '2026-07-08', 'Content-Type': 'application/json' },
  body: JSON.stringify({ filename: 'tus.jpg' }),
});
expect(created.status === 201, 'an address');
const { uploadUrl } = (await created.json()).data;

// Sends parts until all are sent, or until `stopAfter` bytes are acknowledged.
function send(stopAfter = Infinity) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(picture, {
      uploadUrl,
      // The address does not know the size yet; the last part says it.
      uploadLengthDeferred: true,
      chunkSize: CHUNK,
      retryDelays: null,
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('Asset-Id')),
      onChunkComplete: (_, accepted) => {
        if (accepted >= stopAfter) upload.abort().then(() => resolve(accepted), reject);
      },
    });
    upload.start();
  });
}

expect(picture.length > 2 * CHUNK, 'a picture of several parts');
expect((await send(CHUNK)) >= CHUNK, 'the first part acknowledged');
const id = await send();
const library = `${url}/organizations/${organizationId}/libraries/${libraryId}`;
const headers = { ...authorization, 'Api-Version': '2026-07-08' };
const asset = (await (await fetch(`${library}/assets/${id}`, { headers })).json()).data;
expect(asset.name === 'tus', 'the asset');
const bytes = new Uint8Array(await (await fetch(asset.url)).arrayBuffer());
expect(bytes.length === picture.length && bytes.every((byte, at) => byte === picture[at]), 'the same bytes back');

done(versionOf('tus-js-client'), 'parts, going on after a stop, the asset');
