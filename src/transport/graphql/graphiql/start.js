"use strict";

const greeting = `# Put your API key into the headers below, then re-fetch the schema with the button at the lower left.
# The key stays in this page; nothing is kept when you close it.

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

const explorer = React.createElement(GraphiQL, {
  fetcher: GraphiQL.createFetcher({ url: "/graphql" }),
  defaultQuery: greeting,
  defaultHeaders: '{\n  "Authorization": "Bearer pk_"\n}',
  defaultEditorToolsVisibility: "headers",
  shouldPersistHeaders: false,
  storage,
});

ReactDOM.createRoot(document.getElementById("explorer")).render(explorer);
