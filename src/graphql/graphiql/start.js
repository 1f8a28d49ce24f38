"use strict";

const greeting = `# Put your API key into the headers below, then re-fetch the schema with the button at the lower left.
# The key stays in this page; it is not kept when you close it.

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

const explorer = React.createElement(GraphiQL, {
  fetcher: GraphiQL.createFetcher({ url: "/graphql" }),
  defaultQuery: greeting,
  defaultHeaders: '{\n  "Authorization": "Bearer pk_"\n}',
  defaultEditorToolsVisibility: "headers",
  shouldPersistHeaders: false,
});

ReactDOM.createRoot(document.getElementById("explorer")).render(explorer);
