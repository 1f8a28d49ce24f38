"use strict";

// What the page begins with, and what it shows once a key is there: a query of what the key reaches, that works.
const greeting = `# Enter your API key above. It stays in this page; nothing is kept when you close it.
# Then press Ctrl+Enter or the button ▶ to run this.

{
  viewer {
    organizationId
    libraries {
      library
      access
    }
  }
}
`;

/** A query of the newest assets of a library. */
const example = (organization, library) => `# The libraries of your key, and the newest assets of one of them. Ctrl+Enter or ▶ runs it.
# Ctrl+Space completes; the book at the left has the whole schema.

{
  viewer {
    organizationId
    libraries {
      library
      access
    }
  }
  assets(organizationId: ${JSON.stringify(organization)}, libraryId: ${JSON.stringify(library)}, pageSize: 5) {
    id
    name
    url
    width
    height
  }
}
`;

// The browser's own storage would outlive the page, and the history in it holds the headers with the key.
const memory = new Map();
const storage = {
  get length() {
    return memory.size;
  },
  getItem: (name) => memory.get(name) ?? null,
  setItem: (name, value) => void memory.set(name, value),
  removeItem: (name) => void memory.delete(name),
  clear: () => memory.clear(),
};

const root = ReactDOM.createRoot(document.getElementById("explorer"));

/** Shows the explorer with a query and a key; a new one each time, so that it asks for the schema with that key. */
function show(query, key, turn) {
  memory.clear();
  const headers = { Authorization: `Bearer ${key}` };
  root.render(
    React.createElement(GraphiQL, {
      key: turn,
      fetcher: GraphiQL.createFetcher({ url: "/graphql", headers: key ? headers : {} }),
      defaultQuery: query,
      defaultHeaders: key ? "" : '{\n  "Authorization": "Bearer pk_"\n}',
      shouldPersistHeaders: false,
      storage,
      // Without a key the server would only refuse to tell its schema.
      ...(key ? {} : { schema: null }),
    }),
  );
}

let turn = 0;
show(greeting, "", turn);

const form = document.getElementById("key-form");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = document.getElementById("key").value.trim();
  const problem = document.getElementById("key-problem");
  problem.textContent = "";
  const viewer = await viewerOf(key).catch(() => ({ problem: "The server can’t be reached." }));
  if (viewer.problem) {
    problem.textContent = viewer.problem;
    return;
  }
  const library = viewer.libraries[0]?.library;
  show(library ? example(viewer.organizationId, library) : greeting, key, (turn += 1));
});

async function viewerOf(key) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: "{ viewer { organizationId libraries { library access } } }" }),
  });
  const { data, errors, error } = await answer.json();
  const message = errors?.[0]?.message ?? error?.message;
  return message ? { problem: message } : data.viewer;
}
