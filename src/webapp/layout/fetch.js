// Parts of pages, as a script asks for them.

/**
 * The part of a page at an address; null where that fails.
 * @param {string} address
 * @returns {Promise<Document | null>}
 */
export async function fetchPart(address) {
  try {
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    // To somebody who is no longer signed in, the answer is where to sign in, without a part.
    const isPart = response.ok && !response.headers.has("HX-Redirect");
    return isPart ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
  } catch {
    return null;
  }
}
