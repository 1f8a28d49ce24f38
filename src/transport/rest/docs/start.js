// Shows the server's own OpenAPI document, of the version that the address names. The key that is typed in stays in
// this page.
SwaggerUIBundle({
  url: "/openapi.json" + location.search,
  dom_id: "#reference",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
