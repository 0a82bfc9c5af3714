// Starts GraphiQL against this server's own /graphql.
// A file of its own, so that a content security policy without inline scripts can serve it.
'use strict';

const defaultQuery = `# Exemplar: who leads by example,
# and the acts that show it.
#
# Ctrl-Enter runs a query, Ctrl-Space completes;
# the book at the left opens the documentation.
#
# Under Headers, below, goes a credential:
#   {"Authorization": "Bearer …"}
# and, to read what you just wrote, the position
# that your receipt named:
#   {"Exemplar-Wait-For": "3:1042"}

query Begin {
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
`;

// A link such as /graphql#query=%7B…%7D opens with that query; a fragment never leaves the browser.
const linked = new URLSearchParams(window.location.hash.slice(1)).get('query');

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: '/graphql' }),
    defaultQuery,
    query: linked ?? undefined,
    isHeadersEditorEnabled: true,
    // A credential typed under Headers stays in the page: it is never kept in the browser's storage.
    shouldPersistHeaders: false,
  }),
);
