/** A web page with an upload form. It passes uploads on to the server, so that the key stays on this side. */

import { createServer } from "node:http";
import { Readable } from "node:stream";

const FORM =
  '<form method="post" enctype="multipart/form-data"><input type="file" name="files"><button>Upload</button></form>';

/** The page's server. `fetch` is the one that trusts the server of the assets. */
export function gallery({ assetsUrl, headers, fetch }) {
  const upload = async (form) => {
    const type = { "Content-Type": form.headers["content-type"] };
    const answer = await fetch(assetsUrl, {
      method: "POST",
      headers: { ...headers, ...type },
      body: Readable.toWeb(form),
    });
    const { data, error } = await answer.json();
    return error ? `<p>${error.message}</p>${FORM}` : data.assets.map(({ url }) => `<img src="${url}">`).join("");
  };
  const interrupted = () => `<p>The upload was interrupted. Please try again.</p>${FORM}`;
  return createServer(async (request, response) => {
    const page = request.method === "POST" ? await upload(request).catch(interrupted) : FORM;
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(page);
  });
}
